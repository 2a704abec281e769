"""Agents' phones: which numbers are accepted, and how they come back."""

from dataclasses import replace

import pytest

from tests.api_client import Site
from tests.directories import CUSTOMER


@pytest.mark.parametrize(("given", "returned"), [
    ("004924155660", "004924155660"), ("+4924155660", "004924155660"), ("024155660", "004924155660"),
    ("0241 / 556-60", "004924155660"), ("+49 (0)241 55660", "004924155660"), ("00 49 241 55660", "004924155660"),
    ("+1 212 555 0123", "0012125550123"), ("0015551234567", "0015551234567"), ("00390612345678", "00390612345678"),
    ("+390612345678", "00390612345678"), (" 0241.55660 ", "004924155660"),
])
async def test_a_possible_number_is_accepted_and_returned_with_00(site: Site, given: str, returned: str) -> None:
    user, client = await site.user()
    got = await client("POST", "/agents", site.phone_body(user, phone=given))
    assert (got.status, got.body["phone"]) == (200, returned)
    again = await client("PUT", f"/agents/{got.body['id']}", got.body)
    assert again.body == got.body


@pytest.mark.parametrize("given", [
    "", " ", "abc", "0800-FLOWERS", "+", "00", "++49241", "12", "+49", "+9991234567", "0049241556601234567890",
    "+4924155660;ext=5", "tel:+4924155660", "٠٠٤٩٢٤١٥٥٦٦٠", "0241\n55660", "+49241\u000055660", "0" * 41,
    "+4924155660@x", "+49301234567890123", "+12125550", "110", "112"])
async def test_what_is_no_possible_number_is_refused_and_nothing_is_made(site: Site, given: str) -> None:
    user, client = await site.user()
    got = await client("POST", "/agents", site.phone_body(user, phone=given))
    assert got.status == 400 and "phone" in got.says
    assert (await client("GET", "/agents", owner_id=user)).body == []


async def test_national_forms_are_read_in_the_organisations_country(site: Site) -> None:
    await site.world.directory.save_sip_customer(site.org.id, replace(CUSTOMER, country="US"))
    user, client = await site.user()
    for given in ("(212) 555-0123", "0012125550123"):
        got = await client("POST", "/agents", site.phone_body(user, phone=given))
        assert got.body["phone"] == "0012125550123"


@pytest.mark.parametrize(("change", "field"), [
    ({"isActive": 1}, "isActive"), ({"isActive": "true"}, "isActive"), ({"isActive": None}, "isActive"),
    ({"name": 5}, "name"), ({"name": ""}, "name"), ({"name": "  "}, "name"), ({"name": "a\u0000b"}, "name"),
    ({"name": "a\nb"}, "name"), ({"name": "a\u009bb"}, "name"), ({"name": "\ud800"}, "name"), ({"phone": 49}, "phone"),
    ({"userID": "5"}, "userID"), ({"userID": True}, "userID"), ({"userID": 1.5}, "userID"),
    ({"userID": 2**63}, "userID"), ({"userID": 10**400}, "userID"),
    ({"id": "5"}, "id"), ({"number": "+49"}, "number"), ({"surplus": 1}, "surplus"),
])
async def test_a_wrong_member_is_named_and_nothing_changes(site: Site, change: dict[str, object], field: str) -> None:
    user, client = await site.user()
    made = await client("POST", "/agents", site.phone_body(user))
    for method, path in (("POST", "/agents"), ("PUT", f"/agents/{made.body['id']}")):
        got = await client(method, path, site.phone_body(user, **change))
        assert got.status == 400 and field in got.says
    assert (await client("GET", "/agents", owner_id=user)).body == [made.body]


@pytest.mark.parametrize("field", ["isActive", "name", "phone", "userID"])
async def test_a_missing_member_is_named(site: Site, field: str) -> None:
    user, client = await site.user()
    body = site.phone_body(user)
    del body[field]
    got = await client("POST", "/agents", body)
    assert got.status == 400 and field in got.says


async def test_the_id_in_a_body_is_ignored(site: Site) -> None:
    user, client = await site.user()
    first = (await client("POST", "/agents", site.phone_body(user, id=77))).body
    second = (await client("POST", "/agents", site.phone_body(user, id=None))).body
    changed = (await client("PUT", f"/agents/{second['id']}", {**second, "id": first["id"], "name": "Neu"})).body
    assert changed == {**second, "name": "Neu"}
    assert (await client("GET", "/agents", owner_id=user)).body == [first, changed]


async def test_a_user_may_have_several_phones(site: Site) -> None:
    user, client = await site.user()
    made = [(await client("POST", "/agents", site.phone_body(user, name=f"n{n}"))).body for n in range(3)]
    assert (await client("GET", "/agents", owner_id=user)).body == made


@pytest.mark.parametrize("query", [
    {}, {"owner_id": ""}, {"owner_id": "x"}, {"owner_id": "1.0"}, {"owner_id": "1e3"}, {"owner_id": str(2**63)},
    {"owner_id": "9" * 5000}, {"owner_id": "١"}, {"owner_id": " 1"}, {"owner_id": "1_0"}, {"owner_id": "null"}])
async def test_a_missing_or_bad_owner_id_is_named(site: Site, query: dict[str, str]) -> None:
    got = await site.api("GET", "/agents", **query)
    assert got.status == 400 and "owner_id" in got.says


async def test_a_bad_organization_id_is_named_and_unknown_parameters_are_ignored(site: Site) -> None:
    user, client = await site.user()
    got = await client("GET", "/agents", owner_id=user, organization_id="x")
    assert got.status == 400 and "organization_id" in got.says
    assert (await client("GET", "/agents", owner_id=user, surplus="x")).status == 200


@pytest.mark.parametrize(("phone_id", "status"), [
    ("x", 400), ("1.5", 400), (str(2**63), 400), ("999999", 404), ("-1", 404), ("0", 404)])
async def test_a_bad_or_unknown_path_id(site: Site, phone_id: str, status: int) -> None:
    user, client = await site.user()
    for got in (await client("PUT", f"/agents/{phone_id}", site.phone_body(user)),
                await client("DELETE", f"/agents/{phone_id}")):
        assert got.status == status and ("id" in got.says or status == 404)


async def test_a_delete_is_acknowledged_once(site: Site) -> None:
    user, client = await site.user()
    made = await client("POST", "/agents", site.phone_body(user))
    got = await client("DELETE", f"/agents/{made.body['id']}")
    assert got.status == 200
    assert got.body.keys() == {"success", "message", "i18nKey"} and got.body["success"] is True
    assert (await client("DELETE", f"/agents/{made.body['id']}")).status == 404
