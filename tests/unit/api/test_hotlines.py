"""Hotlines: defaults, ranges, the pool of numbers, the status, and what a body may say."""

import pytest

from tests.api_client import ADDRESS, Site

WELCOME = ("Willkommen zur GroupAlarm.com First Responder Hotline. Der erste freie Agent wird umgehend zu Ihnen "
           "durchgestellt.")
ASK = ("Hallo, Sie wurden durch die GroupAlarm.com First Responder Hotline alarmiert. Bitte drücken Sie die 1 zum "
       "Annehmen oder legen Sie zum Ablehnen einfach auf.")


async def test_a_hotline_is_made_with_the_contracts_defaults(site: Site) -> None:
    got = await site.api("POST", "/hotlines", site.hotline_body())
    assert got.status == 200
    hotline_id, number = got.body.pop("id"), got.body.pop("number")
    assert isinstance(hotline_id, int) and number.startswith("+4930")
    assert got.body == {
        "agents": site.org.users, "channelsInbound": 10, "channelsOutbound": 10, "isActive": True, "name": "Brand",
        "organizationID": site.org.id, "status": "created", "ttsInbound": WELCOME, "ttsOutbound": ASK}
    stored = await site.api("GET", f"/hotlines/{hotline_id}")
    assert stored.body == {**got.body, "id": hotline_id, "number": number}


async def test_what_a_get_answered_can_be_put_back_and_changes_nothing(site: Site) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body(channelsInbound=1, ttsInbound="Grüß Gott"))).body
    path = f"/hotlines/{made['id']}"
    got = await site.api("PUT", path, made)
    assert (got.status, got.body) == (200, made)
    forged = {**made, "id": 99, "number": "+491", "status": "error"}
    assert (await site.api("PUT", path, forged)).body == made
    nulls = {**made, "id": None, "number": None, "status": None}
    assert (await site.api("PUT", path, nulls)).body == made


async def test_a_put_replaces_everything_and_what_it_leaves_out_gets_its_default(site: Site) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body(
        channelsInbound=3, channelsOutbound=4, ttsInbound="Hallo", ttsOutbound="Eins"))).body
    got = await site.api("PUT", f"/hotlines/{made['id']}", {
        "agents": [site.org.users[2], site.org.users[0]], "isActive": True, "name": "Neu",
        "organizationID": site.org.id})
    assert got.body == {**made, "agents": [site.org.users[2], site.org.users[0]], "name": "Neu", "channelsInbound": 10,
                        "channelsOutbound": 10, "ttsInbound": WELCOME, "ttsOutbound": ASK, "status": "starting"}


@pytest.mark.parametrize(("change", "status"), [
    ({}, "active"), ({"name": "Neu", "agents": [], "channelsInbound": 99}, "active"),
    ({"ttsInbound": "Neu"}, "starting"), ({"ttsOutbound": "Neu"}, "starting"), ({"isActive": False}, "paused")])
async def test_a_put_moves_the_status_only_when_the_engine_must_act(
        site: Site, change: dict[str, object], status: str) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    for hotline in await site.world.hotlines.unready():
        await site.world.hotlines.mark_ready(hotline, "cache/a", "cache/b", None)
    path = f"/hotlines/{made['id']}"
    assert (await site.api("GET", path)).body["status"] == "active"
    assert (await site.api("PUT", path, {**made, **change})).body["status"] == status
    if status == "paused":
        assert (await site.api("PUT", path, made)).body["status"] == "starting"


@pytest.mark.parametrize(("change", "field"), [
    ({"agents": None}, "agents"), ({"agents": 5}, "agents"), ({"agents": ["5"]}, "agents"),
    ({"agents": [True]}, "agents"),
    ({"agents": [1.5]}, "agents"), ({"agents": [2**63]}, "agents"), ({"agents": [999_999]}, "agents"),
    ({"agents": {}}, "agents"),
    ({"channelsInbound": 0}, "channelsInbound"), ({"channelsInbound": 101}, "channelsInbound"),
    ({"channelsInbound": "10"}, "channelsInbound"), ({"channelsInbound": None}, "channelsInbound"),
    ({"channelsInbound": True}, "channelsInbound"), ({"channelsInbound": 10.5}, "channelsInbound"),
    ({"channelsInbound": 2**64}, "channelsInbound"),
    ({"channelsOutbound": 0}, "channelsOutbound"), ({"channelsOutbound": 101}, "channelsOutbound"),
    ({"channelsOutbound": -1}, "channelsOutbound"),
    ({"isActive": "yes"}, "isActive"), ({"isActive": 0}, "isActive"), ({"isActive": None}, "isActive"),
    ({"name": None}, "name"), ({"name": ""}, "name"), ({"name": "a\u0000"}, "name"), ({"name": ["x"]}, "name"),
    ({"organizationID": "1"}, "organizationID"), ({"organizationID": None}, "organizationID"),
    ({"ttsInbound": "x" * 301}, "ttsInbound"), ({"ttsInbound": "🔥" * 301}, "ttsInbound"),
    ({"ttsInbound": None}, "ttsInbound"), ({"ttsInbound": "a\u0000b"}, "ttsInbound"), ({"ttsInbound": 5}, "ttsInbound"),
    ({"ttsOutbound": "x" * 301}, "ttsOutbound"), ({"ttsOutbound": "a\u001bb"}, "ttsOutbound"),
    ({"ttsOutbound": "\udfff"}, "ttsOutbound"),
    ({"id": "1"}, "id"), ({"status": 5}, "status"), ({"number": 5}, "number"),
    ({"surplus": 1}, "surplus"), ({"Name": "x"}, "Name"), ({"organisationID": 1}, "organisationID"),
])
async def test_a_wrong_member_is_named_and_nothing_changes(site: Site, change: dict[str, object], field: str) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    for method, path in (("POST", "/hotlines"), ("PUT", f"/hotlines/{made['id']}")):
        got = await site.api(method, path, site.hotline_body(name="Neu") | change)
        assert got.status == 400 and field in got.says
    listed = await site.api("GET", "/hotlines", organization_id=site.org.id)
    assert listed.body == {"hotlines": [made], "totalHotlines": 1}


@pytest.mark.parametrize("field", ["agents", "isActive", "name", "organizationID"])
async def test_a_missing_member_is_named(site: Site, field: str) -> None:
    body = site.hotline_body()
    del body[field]
    got = await site.api("POST", "/hotlines", body)
    assert got.status == 400 and field in got.says


@pytest.mark.parametrize(("field", "value"), [
    ("channelsInbound", 1), ("channelsInbound", 100), ("channelsOutbound", 1), ("channelsOutbound", 100),
    ("ttsInbound", ""), ("ttsInbound", "x" * 300), ("ttsInbound", "🔥" * 300), ("ttsOutbound", "Zeile 1\nZeile 2"),
    ("ttsInbound", "<genfile file=x>"), ("agents", []), ("name", "Ω — 'quoted' \"double\" ; DROP TABLE x"),
])
async def test_values_at_their_bounds_are_kept_as_they_are(site: Site, field: str, value: object) -> None:
    got = await site.api("POST", "/hotlines", site.hotline_body(**{field: value}))
    assert (got.status, got.body[field]) == (200, value)
    assert (await site.api("GET", f"/hotlines/{got.body['id']}")).body[field] == value


async def test_an_agent_named_twice_counts_once(site: Site) -> None:
    one, two, _ = site.org.users
    got = await site.api("POST", "/hotlines", site.hotline_body(agents=[two, one, two, one]))
    assert got.body["agents"] == [two, one]


async def test_agents_of_another_organisation_are_named_as_agents(site: Site) -> None:
    other = await site.other()
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    for method, path in (("POST", "/hotlines"), ("PUT", f"/hotlines/{made['id']}")):
        got = await site.api(method, path, site.hotline_body(agents=[site.org.users[0], other.org.users[0]]))
        assert got.status == 400 and "agents" in got.says and str(other.org.users[0]) in got.says
    assert (await site.api("GET", f"/hotlines/{made['id']}")).body == made


async def test_without_a_number_left_nothing_is_made_and_a_deleted_hotlines_number_goes_to_the_end(site: Site) -> None:
    made = [(await site.api("POST", "/hotlines", site.hotline_body())).body for _ in range(2)]
    while (got := await site.api("POST", "/hotlines", site.hotline_body())).status == 200:
        made.append(got.body)
    assert got.status == 400 and "no number left" in got.says
    assert (await site.api("GET", "/hotlines", organization_id=site.org.id)).body["totalHotlines"] == len(made)
    for gone in (made[1], made[0]):
        assert (await site.api("DELETE", f"/hotlines/{gone['id']}")).status == 200
    for expected in (made[1], made[0]):
        assert (await site.api("POST", "/hotlines", site.hotline_body())).body["number"] == expected["number"]


async def test_a_deleted_hotline_is_not_there(site: Site) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    path = f"/hotlines/{made['id']}"
    got = await site.api("DELETE", path)
    assert got.status == 200
    assert got.body.keys() == {"success", "message", "i18nKey"} and got.body["success"] is True
    for got in [await site.api("GET", path), await site.api("PUT", path, made), await site.api("DELETE", path),
                await site.api("GET", f"{path}/logs"), await site.api("GET", f"{path}/records")]:
        assert got.status == 404


async def test_a_sip_customer_is_needed_first(site: Site) -> None:
    bare = (await site.world.directory.create_organisation("Neu")).organisation_id
    api = site.api.organisation(await site.world.directory.issue_token(bare, None))
    body = site.hotline_body(organizationID=bare, agents=[])
    got = await api("POST", "/hotlines", body)
    assert got.status == 400 and "sip-customer" in got.says
    assert (await api("GET", f"/sip-customer/{bare}")).body == {"exists": False}
    assert (await api("POST", "/sip-customer", {**ADDRESS, "organizationID": bare})).body == {"exists": True}
    assert (await api("GET", f"/sip-customer/{bare}")).body == {"exists": True}
    assert (await api("POST", "/hotlines", body)).status == 200


async def test_pages_have_totals_and_an_order(site: Site) -> None:
    await site.world.directory.add_numbers([f"+4940{n:03}" for n in range(12)])
    made = [(await site.api("POST", "/hotlines", site.hotline_body(name=f"h{n}"))).body for n in range(12)]

    async def page(**query: int) -> object:
        got = (await site.api("GET", "/hotlines", organization_id=site.org.id, **query)).body
        assert got["totalHotlines"] == 12
        return got["hotlines"]

    assert await page() == made[:10]
    assert await page(limit=50) == made
    assert await page(limit=1, offset=11) == made[11:]
    assert await page(offset=10) == made[10:]
    assert await page(offset=2**63 - 1) == []


@pytest.mark.parametrize("query", [
    {"limit": "0"}, {"limit": "51"}, {"limit": "-1"}, {"limit": "x"}, {"limit": ""}, {"limit": "1.0"},
    {"offset": "-1"}, {"offset": "x"}, {"offset": str(2**63)}, {"organization_id": "x"}, {"organization_id": ""}])
async def test_a_parameter_out_of_range_is_named(site: Site, query: dict[str, str]) -> None:
    hotline = await site.org.hotline()
    [field] = query
    got = await site.api("GET", "/hotlines", **{"organization_id": site.org.id, **query})
    assert got.status == 400 and field in got.says
    if field != "organization_id":
        for what in ("logs", "records"):
            got = await site.api("GET", f"/hotlines/{hotline.hotline_id}/{what}", **query)
            assert got.status == 400 and field in got.says


async def test_the_organisation_must_be_named_and_unknown_parameters_are_ignored(site: Site) -> None:
    got = await site.api("GET", "/hotlines")
    assert got.status == 400 and "organization_id" in got.says
    assert (await site.api("GET", "/hotlines", organization_id=site.org.id, surplus="x")).status == 200


@pytest.mark.parametrize(("hotline_id", "status"), [
    ("x", 400), ("1.5", 400), (str(2**63), 400), ("9" * 30, 400), ("999999", 404), ("-1", 404), ("0", 404)])
async def test_a_bad_or_unknown_path_id(site: Site, hotline_id: str, status: int) -> None:
    path = f"/hotlines/{hotline_id}"
    for got in [await site.api("GET", path), await site.api("PUT", path, site.hotline_body()),
                await site.api("DELETE", path), await site.api("GET", f"{path}/logs"),
                await site.api("GET", f"{path}/logs/1"), await site.api("GET", f"{path}/records")]:
        assert got.status == status and ("hotlineID" in got.says or status == 404)
