"""What is wrong with an alarm is said in words that tell its author what to write."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.errors import ApiError, invalid
from api.ringward.alarm_schemas import AlarmBody

GOOD: dict[str, Any] = {"organizationID": 1, "message": {"de": "Brand"}, "recipients": [{"userID": 1}]}


def refused(changes: dict[str, Any]) -> ApiError:
    with pytest.raises(ValidationError) as caught:
        AlarmBody.model_validate(GOOD | changes)
    return invalid(caught.value)


@pytest.mark.parametrize(("changes", "told"), [
    ({"acknowledge": {"pin": "12"}}, "acknowledge.pin: must be 3 to 12 digits, as a string"),
    ({"acknowledge": {"pin": 4711}}, "acknowledge.pin: must be 3 to 12 digits, as a string"),
    ({"acknowledge": {"key": "*"}}, "acknowledge.key: must be one digit, as a string"),
    ({"message": "Brand"}, "message: must be an object"),
    ({"recipients": []}, "recipients: too few: 1 at least"),
    ({"recipients": [{"phone": "?"}]},
     "recipients[0].phone: must be a phone number: digits, with + or 00 in front when it is international"),
    ({"retry": {"rounds": 99}}, "retry.rounds: must be 20 at most"),
    ({"retry": {"rounds": 1.5}}, "retry.rounds: must be a whole number"),
    ({"strategy": {"type": "wave"}}, "strategy.type: must be 'parallel', 'sequential' or 'waves'"),
    ({"amd": "yes"}, "amd: must be true or false"),
    ({"ringTimeout": 30}, "ringTimeout: is unknown here; is it spelled right?"),
])
def test_the_field_and_what_it_must_be_are_named(changes: dict[str, Any], told: str) -> None:
    assert refused(changes).message == told


def test_what_is_missing_is_required() -> None:
    with pytest.raises(ValidationError) as caught:
        AlarmBody.model_validate({"organizationID": 1})
    assert invalid(caught.value).message == "message: is required; recipients: is required"
