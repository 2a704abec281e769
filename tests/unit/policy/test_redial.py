"""How an attempt ended, and whether somebody is called again: the table."""

import pytest

from engine.policy.redial import again_after_s, unanswered
from engine.vocabulary.program import CallDisposition, RetryRules

RULES = RetryRules(busy_s=1, no_answer_s=2, failed_s=3)


@pytest.mark.parametrize(("cause", "sip", "disposition"), [
    # the far side refused: its status decides, whatever the cause
    (17, 486, "busy"), (34, 600, "busy"), (17, 603, "declined"), (21, 607, "declined"),
    (1, 404, "invalidNumber"), (22, 410, "invalidNumber"), (28, 484, "invalidNumber"), (1, 604, "invalidNumber"),
    (19, 480, "noAnswer"), (127, 487, "noAnswer"),
    (18, 408, "failed"), (38, 500, "failed"), (38, 503, "failed"), (34, 488, "failed"), (21, 403, "failed"),
    # nobody refused: the cause decides
    (17, 0, "busy"), (21, 0, "declined"), (1, 0, "invalidNumber"), (22, 0, "invalidNumber"), (28, 0, "invalidNumber"),
    (0, 0, "noAnswer"), (16, 0, "noAnswer"), (18, 0, "noAnswer"), (19, 0, "noAnswer"), (20, 0, "noAnswer"),
    (26, 0, "noAnswer"), (127, 0, "noAnswer"),
    (34, 0, "failed"), (38, 0, "failed"), (41, 0, "failed"), (42, 0, "failed"), (44, 0, "failed"), (99, 0, "failed"),
])
def test_what_an_end_without_an_answer_means(cause: int, sip: int, disposition: str) -> None:
    assert unanswered(cause, sip) == disposition


@pytest.mark.parametrize(("disposition", "after_s"), [
    ("busy", 1), ("noAnswer", 2), ("mailbox", 2), ("failed", 3), ("lost", 3),
    ("answered", None), ("declined", None), ("invalidNumber", None), ("withdrawn", None),
])
def test_when_somebody_is_called_again(disposition: str, after_s: float | None) -> None:
    how = CallDisposition(disposition)
    assert again_after_s(how, 1, RULES) == after_s
    assert again_after_s(how, 0, RULES) is None


def test_every_end_is_in_the_table() -> None:
    assert {how for how in CallDisposition if again_after_s(how, 9, RULES) is not None} == {
        "busy", "noAnswer", "mailbox", "failed", "lost"}
