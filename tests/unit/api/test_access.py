"""Tokens: who may act for what. 401 without a good one, 403 for what it may not act for."""

import pytest
from aiohttp import hdrs

from engine.store.directory_port import PhoneData
from tests.api_client import Site
from tests.directories import NOON


@pytest.mark.parametrize("headers", [
    {}, {"API-TOKEN": ""}, {"API-TOKEN": "rwo_bad"}, {"Personal-Access-Token": "rwu_bad"}, {"API-TOKEN": "ä"},
    {hdrs.AUTHORIZATION: "Bearer x"}])
async def test_a_missing_or_bad_token_is_unauthorized(site: Site, headers: dict[str, str]) -> None:
    for method, path in [("GET", "/hotlines"), ("POST", "/hotlines"), ("PUT", "/agents/1"), ("DELETE", "/hotlines/x")]:
        got = await site.api.of(**headers)(method, path, data=b"{")
        assert got.status == 401 and "unauthorized" in got.says


async def test_either_header_suffices_and_its_name_has_no_case(site: Site) -> None:
    personal = await site.personal(site.org.users[0])
    for client in (site.api, personal):
        assert (await client("GET", "/hotlines", organization_id=site.org.id)).status == 200
        lower = {name.lower(): value for name, value in client.headers.items()}
        assert (await client.of(**lower)("GET", "/hotlines", organization_id=site.org.id)).status == 200


async def test_a_token_in_the_other_header_is_not_valid(site: Site) -> None:
    personal = await site.personal(site.org.users[0])
    swapped = site.api.organisation(personal.headers["Personal-Access-Token"])
    assert (await swapped("GET", "/hotlines", organization_id=site.org.id)).status == 401
    swapped = site.api.personal(site.api.headers["API-TOKEN"])
    assert (await swapped("GET", "/hotlines", organization_id=site.org.id)).status == 401


async def test_a_revoked_token_is_unauthorized(site: Site) -> None:
    await site.world.directory.revoke_tokens(site.org.id, None)
    assert (await site.api("GET", "/hotlines", organization_id=site.org.id)).status == 401


async def test_users_manage_their_own_phones(site: Site) -> None:
    user, client = await site.user()
    made = await client("POST", "/agents", site.phone_body(user))
    assert made.status == 200
    assert (await client("GET", "/agents", owner_id=user)).body == [made.body]
    assert (await client("GET", "/agents", owner_id=user, organization_id=site.org.id)).body == [made.body]
    changed = site.phone_body(user, name="Büro", isActive=False)
    path = f"/agents/{made.body['id']}"
    assert (await client("PUT", path, changed)).body == {**changed, "id": made.body["id"]}
    assert (await client("DELETE", path)).body["success"] is True
    assert (await client("GET", "/agents", owner_id=user)).body == []


@pytest.mark.parametrize("token", ["organisation", "admin"])
@pytest.mark.parametrize(("allowed", "names_organisation", "status"), [
    (True, True, 200), (True, False, 403), (False, True, 403), (False, False, 403)])
async def test_admins_manage_phones_when_they_name_the_organisation_and_the_user_allows_it(
        site: Site, token: str, allowed: bool, names_organisation: bool, status: int) -> None:
    user, _ = await site.user(allow_admins=allowed)
    _, admin = await site.user(is_admin=True)
    client = site.api if token == "organisation" else admin
    phone = await site.world.directory.create_phone(site.org.id, PhoneData(user, "Handy", "+4924155660", True))
    query = {"organization_id": site.org.id} if names_organisation else {}

    assert (await client("GET", "/agents", owner_id=user, **query)).status == status
    assert (await client("POST", "/agents", site.phone_body(user), **query)).status == status
    assert (await client("PUT", f"/agents/{phone.phone_id}", site.phone_body(user), **query)).status == status
    # the published DELETE has no organization_id: the user's word decides
    assert (await client("DELETE", f"/agents/{phone.phone_id}", **query)).status == (200 if allowed else 403)
    assert len(await site.world.directory.phones(site.org.id, user)) == (
        {200: 1, 403: 0 if allowed else 1}[status])


async def test_who_is_no_admin_manages_no_phone_of_another_user(site: Site) -> None:
    owner, _ = await site.user(allow_admins=True)
    _, client = await site.user()
    phone = await site.world.directory.create_phone(site.org.id, PhoneData(owner, "Handy", "+4924155660", True))
    query = {"organization_id": site.org.id}
    refused = [
        await client("GET", "/agents", owner_id=owner, **query),
        await client("POST", "/agents", site.phone_body(owner), **query),
        await client("PUT", f"/agents/{phone.phone_id}", site.phone_body(owner), **query),
        await client("DELETE", f"/agents/{phone.phone_id}", **query)]
    assert [got.status for got in refused] == [403] * 4
    assert all("not allowed" in got.says for got in refused)
    assert await site.world.directory.phones(site.org.id, owner) == [phone]


async def test_a_phone_is_not_moved_to_a_user_the_token_may_not_act_for(site: Site) -> None:
    user, client = await site.user()
    other, _ = await site.user(allow_admins=False)
    made = await client("POST", "/agents", site.phone_body(user))
    got = await client("PUT", f"/agents/{made.body['id']}", site.phone_body(other))
    assert got.status == 403 and "userID" in got.says
    got = await site.api("POST", "/agents", site.phone_body(999_999), organization_id=site.org.id)
    assert got.status == 403


async def test_another_organisations_ids_in_query_and_body_are_forbidden(site: Site) -> None:
    other = await site.other()
    user, client = await site.user(is_admin=True)
    theirs = other.org.users[0]
    await site.world.directory.set_allow_admins(other.org.id, theirs, True)
    for api in (site.api, client):
        for got in [
            await api("GET", "/agents", owner_id=theirs, organization_id=site.org.id),
            await api("GET", "/agents", owner_id=theirs, organization_id=other.org.id),
            await api("GET", "/agents", owner_id=user, organization_id=other.org.id),
            await api("POST", "/agents", site.phone_body(theirs), organization_id=other.org.id),
            await api("POST", "/agents", site.phone_body(theirs), organization_id=site.org.id),
            await api("POST", "/agents", site.phone_body(user), organization_id=other.org.id),
            await api("GET", "/hotlines", organization_id=other.org.id),
            await api("POST", "/hotlines", other.hotline_body()),
            await api("POST", "/sip-customer", {"organizationID": other.org.id, **dict(
                name="F", street="S", streetHousenumber=1, city="B", cityCode="10115", country="DE")}),
        ]:
            assert got.status == 403, got
            assert "not allowed" in got.says
    assert await site.world.directory.phones(other.org.id, theirs) == []


async def test_who_is_no_admin_reads_hotlines_and_changes_none(site: Site) -> None:
    hotline = await site.org.hotline()
    path = f"/hotlines/{hotline.hotline_id}"
    _, client = await site.user()
    for read in (path, f"{path}/logs", f"{path}/records", f"/sip-customer/{site.org.id}"):
        assert (await client("GET", read)).status == 200
    assert (await client("GET", "/hotlines", organization_id=site.org.id)).status == 200
    assert (await client("POST", "/hotlines", site.hotline_body())).status == 403
    assert (await client("PUT", path, site.hotline_body(name="Neu"))).status == 403
    assert (await client("DELETE", path)).status == 403
    assert await site.world.directory.hotline(site.org.id, hotline.hotline_id) == hotline
    _, admin = await site.user(is_admin=True)
    assert (await admin("PUT", path, site.hotline_body(name="Neu"))).body["name"] == "Neu"


async def test_ids_of_another_organisation_in_a_path_are_not_there(site: Site) -> None:
    """Every operation that has an id in its path, with all that belongs to another organisation."""
    other = await site.other()
    hotline = await other.org.hotline()
    log_id = await site.world.write_log(hotline, NOON, entries=1)
    phone_id = await other.org.phone(other.org.users[0], "+4924155660")
    before = await site.world.directory.hotlines(other.org.id, 50, 0)
    path = f"/hotlines/{hotline.hotline_id}"
    body = {**(await other.api("GET", path)).body, "organizationID": site.org.id, "agents": []}
    for got in [
        await site.api("PUT", f"/agents/{phone_id}", site.phone_body(site.org.users[0]), organization_id=site.org.id),
        await site.api("DELETE", f"/agents/{phone_id}", organization_id=site.org.id),
        await site.api("DELETE", f"/agents/{phone_id}"),
        await site.api("GET", path), await site.api("PUT", path, body), await site.api("DELETE", path),
        await site.api("PUT", path, {**body, "organizationID": other.org.id}),
        await site.api("GET", f"{path}/logs"), await site.api("GET", f"{path}/logs/{log_id}"),
        await site.api("GET", f"{path}/records"), await site.api("GET", f"/sip-customer/{other.org.id}"),
    ]:
        assert got.status == 404 and "not found" in got.says
    assert await site.world.directory.hotlines(other.org.id, 50, 0) == before
    assert len(await site.world.directory.phones(other.org.id, other.org.users[0])) == 1
