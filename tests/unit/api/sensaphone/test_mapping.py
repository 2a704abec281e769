"""The Sensaphone.net API's words to ours and back."""

from typing import Any

import pytest

from api.errors import Invalid
from api.sensaphone import mapping
from api.sensaphone.results import Code, Failure
from api.sensaphone.schemas import ContactToCreate, GroupToCreate, GroupToDelete, GroupWanted
from engine.store.sensaphone_groups import Members, NewGroup, NotMembers, NotThere, StoredGroup
from engine.store.sensaphone_people import StoredContact

ROWS = [StoredGroup(5, "Night", [1], [2, 3]), StoredGroup(6, "Day", [], [])]
NIGHT = {"group_id": 5, "name": "Night", "users": [{"user_id": 1}], "contacts": [{"contact_id": 2}, {"contact_id": 3}]}
DAY = {"group_id": 6, "name": "Day", "users": [], "contacts": []}


def wanted(*items: dict[str, Any]) -> list[GroupWanted]:
    return [GroupWanted.model_validate(it) for it in items]


@pytest.mark.parametrize("items, told", [
    (None, [NIGHT, DAY]), ([{"group_id": 6}], [DAY]), ([{}], [NIGHT, DAY]),
    ([{"group_id": 6, "name": None}, {"group_id": 5, "users": None}],
     [{"group_id": 6, "name": "Day"}, {"group_id": 5, "users": [{"user_id": 1}]}]),
    ([{"group_id": None, "contacts": None}],
     [{"group_id": 5, "contacts": NIGHT["contacts"]}, {"group_id": 6, "contacts": []}]),
])
def test_groups_are_told_as_they_are_asked_for(items: Any, told: list[Any]) -> None:
    assert mapping.told_groups(None if items is None else wanted(*items), ROWS) == told


def test_the_first_group_that_is_not_there_is_named() -> None:
    with pytest.raises(Failure, match=r"^contactgroup\[1\].group_id: there is no group 7$") as raised:
        mapping.told_groups(wanted({"group_id": 5}, {"group_id": 7}, {"group_id": 8}), ROWS)
    assert raised.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("item, meant", [
    ({"name": "Night"}, NewGroup("Night", [], [])),
    ({"name": "Night", "users": {"user_id": 1}}, NewGroup("Night", [], [1])),
    ({"group_id": "5", "contacts": [{"contact_id": "2"}]}, Members(5, [2], [])),
])
def test_a_create_is_a_new_group_or_more_members(item: Any, meant: NewGroup | Members) -> None:
    assert mapping.wanted_group(0, GroupToCreate.model_validate(item)) == meant


@pytest.mark.parametrize("item, field", [
    ({}, "name"), ({"group_id": 5}, "contacts"), ({"group_id": 5, "name": "x", "users": {"user_id": 1}}, "name")])
def test_what_does_not_go_together_is_named(item: Any, field: str) -> None:
    with pytest.raises(Invalid, match=rf"^contactgroup\[3\].{field}: "):
        mapping.wanted_group(3, GroupToCreate.model_validate(item))


def test_what_a_create_did_is_told_once_each() -> None:
    assert mapping.changed_group(5, NewGroup("Night", [2, 2, 3], [1, 1])) == NIGHT
    assert mapping.changed_group(5, Members(5, [2], [])) == {"group_id": 5, "contacts": [{"contact_id": 2}]}


def test_a_delete_with_members_leaves_the_group_there() -> None:
    items = [GroupToDelete.model_validate(it) for it in (
        {"group_id": 5}, {"group_id": 6, "users": [{"user_id": 1}]}, {"group_id": 7, "contacts": []})]
    assert mapping.leaving(items) == ([5], [Members(6, [], [1]), Members(7, [], [])])


def test_whoever_is_not_there_or_no_member_is_named() -> None:
    contacts = [{"contact_id": 2}, {"contact_id": 3}]
    items = [GroupToDelete.model_validate(it) for it in (
        {"group_id": 5, "users": [{"user_id": 1}]}, {"group_id": 6, "contacts": contacts})]
    assert str(mapping.unknown(items, NotThere("contact", [3]))).startswith("contactgroup[1].contacts[1].contact_id: ")
    told = str(mapping.not_members(items, NotMembers([(6, 2), (6, 3)], [])))
    assert told == "contactgroup[1].contacts[0].contact_id: contact 2 is not in group 6"


@pytest.mark.parametrize("fields, phone, number, email", [
    ({"destination": " 030 555123"}, "030 555123", "+4930555123", None),
    ({"destination": "a@b.de"}, None, None, "a@b.de"),
    ({"destination": "a@b.de", "type": "email"}, None, None, "a@b.de"),
    ({"destination": "0043 1 5551234", "type": "voice"}, "0043 1 5551234", "+4315551234", None),
])
def test_a_destination_is_a_number_or_an_address(
        fields: Any, phone: str | None, number: str | None, email: str | None) -> None:
    data = mapping.contact_data(0, ContactToCreate.model_validate(fields), "DE")
    assert (data.phone, data.number, data.email) == (phone, number, email)


def test_a_contact_with_both_is_told_by_its_phone() -> None:
    assert mapping.contact(StoredContact(1, "030 1", "a@b", "", "Anna")) == {
        "contact_id": 1, "destination": "030 1", "type": "voice", "description": "Anna", "enable": True}
