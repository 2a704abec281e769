"""Rotation of secrets: what is valid until when."""

from datetime import UTC, datetime, timedelta

from engine.store.webhooks import MOST_SECRETS, Secret, rotated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_the_new_one_comes_first_and_the_former_ends_with_the_overlap() -> None:
    assert rotated([Secret("old")], "new", NOW, HOUR) == [Secret("new"), Secret("old", NOW + HOUR)]


def test_an_end_is_never_put_off() -> None:
    former = [Secret("b"), Secret("a", NOW + HOUR / 2)]
    assert rotated(former, "c", NOW, HOUR)[1:] == [Secret("b", NOW + HOUR), Secret("a", NOW + HOUR / 2)]


def test_without_overlap_and_after_their_end_none_is_left() -> None:
    assert rotated([Secret("b"), Secret("a", NOW)], "c", NOW, timedelta(0)) == [Secret("c")]
    assert rotated([Secret("a", NOW - HOUR)], "c", NOW, HOUR) == [Secret("c")]


def test_however_often_it_is_rotated_a_few_sign() -> None:
    secrets = [Secret("0")]
    for number in range(1, 20):
        secrets = rotated(secrets, str(number), NOW, HOUR)
    assert [it.value for it in secrets] == ["19", "18", "17", "16", "15"]
    assert len(secrets) == MOST_SECRETS


def test_a_secret_is_not_shown_by_accident() -> None:
    assert "whsec" not in repr(Secret("whsec_AAAA"))
