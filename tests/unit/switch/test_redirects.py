"""Only the latest order of a leg is ever repeated."""

from datetime import UTC, datetime, timedelta

from engine.switch.asterisk.redirects import TRIES, Redirects

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LEG = "1795291439.7"


def answer(number: int, response: str = "Error", message: str = "Redirect failed, channel not up.") -> dict[str, str]:
    return {"actionid": f"to:rw-play:{LEG}:{number}", "response": response, "message": message}


def sent(number: int, not_after: datetime | None = None) -> Redirects:
    redirects = Redirects()
    redirects.sent(LEG, "rw-play", number, not_after)
    return redirects


def test_a_redirect_that_came_too_early_is_wanted_again() -> None:
    redirects = sent(1)
    again = redirects.refused(answer(1))
    assert again is not None and (again.leg, again.verb, again.number) == (LEG, "rw-play", 1)
    assert redirects.is_wanted(again, NOW)


def test_one_that_worked_or_has_no_channel_is_done() -> None:
    for done in (answer(1, "Success", "Redirect successful"), answer(1, message="Channel does not exist: x")):
        redirects = sent(1)
        assert redirects.refused(done) is None
        assert redirects.refused(answer(1)) is None


def test_another_order_for_the_leg_ends_it() -> None:
    redirects = sent(1)
    again = redirects.refused(answer(1))
    assert again is not None
    redirects.sent(LEG, None, 2, None)
    assert not redirects.is_wanted(again, NOW)
    redirects.sent(LEG, "rw-play", 3, None)
    assert redirects.refused(answer(1)) is None
    assert not redirects.is_wanted(again, NOW)


def test_it_is_not_repeated_after_its_time() -> None:
    redirects = sent(1, NOW)
    again = redirects.refused(answer(1))
    assert again is not None
    assert redirects.is_wanted(again, NOW)
    assert not redirects.is_wanted(again, NOW + timedelta(milliseconds=1))


def test_it_is_not_repeated_for_ever() -> None:
    redirects = sent(1)
    assert sum(redirects.refused(answer(1)) is not None for _ in range(TRIES * 2)) == TRIES - 1


def test_other_answers_are_none_of_its_business() -> None:
    assert sent(1).refused({"actionid": "order:x", "response": "Error", "message": "not up"}) is None
    assert sent(1).refused({}) is None
