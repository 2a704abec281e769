"""What an alarm's body may say, as far as no directory is needed."""

from typing import Any

import pytest
from pydantic import ValidationError

from api.errors import Invalid, invalid
from api.ringward.alarm_order import Texts, checked
from api.ringward.alarm_schemas import LANGUAGES, AlarmBody

BODY: dict[str, Any] = {"organizationID": 1, "message": {"de": "Brand"}, "recipients": [{"userID": 1}]}


def order(**changes: Any) -> AlarmBody:
    return AlarmBody.model_validate(BODY | changes)


def problems(**changes: Any) -> list[str]:
    """The fields that are wrong with this body; [] when none is."""
    try:
        checked(order(**changes))
    except ValidationError as error:
        return [it.field for it in invalid(error).problems]
    except Invalid as error:
        return [it.field for it in error.problems]
    return []


@pytest.mark.parametrize(("changes", "fields"), [
    ({}, []),
    ({"more": 1}, ["more"]), ({"acknowledge": {"more": 1}}, ["acknowledge.more"]),
    ({"recipients": [{"userID": 1, "more": 1}]}, ["recipients[0].more"]),
    ({"recipients": []}, ["recipients"]), ({"recipients": [{}]}, ["recipients[0]"]),
    ({"recipients": [{"userID": 1}, {"userID": 1, "phone": "1"}]}, ["recipients[1]"]),
    ({"recipients": [{"userID": 1, "name": "a"}]}, ["recipients[0]"]),
    ({"recipients": [{"phone": "1x"}]}, ["recipients[0].phone"]),
    ({"recipients": [{"userID": "1"}]}, ["recipients[0].userID"]),
    ({"recipients": [{"phone": "1", "language": "xx"}]}, ["recipients[0].language"]),
    ({"message": {}}, ["message"]), ({"message": {"recordingID": 1, "de": "x"}}, ["message"]),
    ({"message": {"recordingID": 1}}, []), ({"message": {"xx": "a"}}, ["message.xx"]),
    ({"message": {"deu": "a"}}, ["message.deu"]), ({"message": {"de": 1}}, ["message.de"]),
    ({"message": {"de": "x" * 1001}}, ["message.de"]), ({"message": {"de": "x" * 1000}}, []),
    ({"message": {"de": " . "}}, ["message.de"]), ({"message": {"de": "a\0b"}}, ["message.de"]),
    ({"message": {"de": "{place}"}}, ["message.de"]), ({"message": {"de": "a", "en": "in {ort}"}}, ["message.en"]),
    ({"message": {"de": "a {"}}, ["message.de"]), ({"message": {"de": "a {{name}}"}}, ["message.de"]),
    ({"message": {"de": "{}"}}, ["message.de", "message.de"]), ({"message": {"de": "{name} {role}!"}}, []),
    ({"message": {"de": "{acknowledged}"}}, ["message.de"]),
    ({"fields": {"a b": "x"}}, ["fields.a b"]), ({"fields": {"a": 1}}, ["fields.a"]),
    ({"fields": {"a": "{name}"}}, ["fields.a"]), ({"fields": {"name": "x"}}, ["fields.name"]),
    ({"fields": {"straße": "x"}, "message": {"de": "in {straße}"}}, []),
    ({"fields": {"a": "y" * 500}, "message": {"de": "{a}{a}{a}"}}, ["message.de"]),
    ({"acknowledge": {"needed": 0}}, ["acknowledge.needed"]),
    ({"acknowledge": {"needed": "some"}}, ["acknowledge.needed"]),
    ({"acknowledge": {"needed": True}}, ["acknowledge.needed"]), ({"acknowledge": {"needed": "all"}}, []),
    ({"acknowledge": {"byRole": {"a": 0}}}, ["acknowledge.byRole.a"]),
    ({"acknowledge": {"key": "12"}}, ["acknowledge.key"]), ({"acknowledge": {"key": "*"}}, ["acknowledge.key"]),
    ({"acknowledge": {"key": "9"}}, ["acknowledge.declineKey"]),
    ({"acknowledge": {"key": "9", "declineKey": None}}, []), ({"acknowledge": {"key": None}}, ["acknowledge.key"]),
    ({"acknowledge": {"pin": "12"}}, ["acknowledge.pin"]), ({"acknowledge": {"pin": "1" * 13}}, ["acknowledge.pin"]),
    ({"acknowledge": {"pin": "12a4"}}, ["acknowledge.pin"]), ({"acknowledge": {"pin": "1" * 12}}, []),
    ({"strategy": {"type": "waves"}}, ["strategy.waves"]), ({"strategy": {"type": "all"}}, ["strategy.type"]),
    ({"strategy": {"type": "parallel", "waves": [{"afterS": 0}]}}, ["strategy.waves"]),
    ({"strategy": {"type": "waves", "waves": [{"afterS": 5}, {"afterS": 9}, {"afterS": 8}]}},
     ["strategy.waves[2].afterS"]),
    ({"strategy": {"type": "waves", "waves": [{"afterS": 0, "groupIDs": [1]}, {"afterS": 0}]}}, []),
    ({"retry": {"rounds": 0}}, ["retry.rounds"]), ({"retry": {"rounds": 21}}, ["retry.rounds"]),
    ({"retry": {"pauseS": 3601}}, ["retry.pauseS"]), ({"retry": {"on": ["never"]}}, ["retry.on[0]"]),
    ({"retry": {"on": []}}, []),
    ({"ringTimeoutS": 4}, ["ringTimeoutS"]), ({"ringTimeoutS": 121}, ["ringTimeoutS"]), ({"expiresS": 9}, ["expiresS"]),
    ({"expiresS": 86_401}, ["expiresS"]), ({"amd": "no"}, ["amd"]), ({"amd": None}, ["amd"]),
    ({"closing": {"de": "{name}"}}, ["closing.de"]), ({"closing": {"xx": "a"}}, ["closing.xx"]),
    ({"closing": {}}, []), ({"closing": None}, []), ({"closing": {"de": "{acknowledged}/{needed}"}}, []),
])
def test_every_wrong_field_is_named(changes: Any, fields: list[str]) -> None:
    assert problems(**changes) == fields


def test_several_problems_are_told_at_once() -> None:
    assert problems(message={"de": "{a}", "en": "{b}"}, acknowledge={"key": "9"}) == [
        "message.de", "message.en", "acknowledge.declineKey"]


def test_shared_fields_are_filled_in_once_and_personal_ones_left() -> None:
    texts = checked(order(message={"de": "{place}: {name}, {place}"}, fields={"place": "Halle 3"},
                          closing={"en": "{acknowledged} of {needed} come to {place}"}))
    assert texts.message == (("de", "Halle 3: {name}, Halle 3"),)
    assert texts.closing == (("en", "{acknowledged} of {needed} come to Halle 3"),)


@pytest.mark.parametrize(("own", "organisation", "spoken", "language"), [
    ("fr", "de", ["de", "fr"], "fr"), ("fr-CH", "de", ["de", "fr"], "fr"), ("pl", "de", ["en", "de"], "de"),
    ("pl", "cs", ["it", "en"], "it"), (None, "de", ["en", "de"], "de"), ("pl", "de", [], "pl"), (None, "de", [], "de")])
def test_a_persons_language(own: str | None, organisation: str, spoken: list[str], language: str) -> None:
    assert Texts(tuple((it, "x") for it in spoken), ()).language(own, organisation) == language


def test_the_language_codes_are_those_of_iso_639_1() -> None:
    assert len(LANGUAGES) == 184 and {"de", "en", "es", "fr", "it", "uk", "tr", "zu"} <= LANGUAGES


def test_of_many_malformed_recipients_the_first_is_told() -> None:
    """All of them, each with dozens of mistakes, would keep the api busy for seconds."""
    assert problems(recipients=[{"userID": 1}, {"x": 1, "y": 1}, *[{}] * 100]) == ["recipients[1].x", "recipients[1].y"]
