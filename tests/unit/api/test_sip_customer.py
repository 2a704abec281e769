"""The organisation's address: what is validated."""

import pytest

from tests.api_client import ADDRESS, Client, Site


async def _bare(site: Site) -> tuple[int, Client]:
    bare = (await site.world.directory.create_organisation("Neu")).organisation_id
    return bare, site.api.organisation(await site.world.directory.issue_token(bare, None))


@pytest.mark.parametrize(("change", "field"), [
    ({"city": ""}, "city"), ({"city": " "}, "city"), ({"city": "123"}, "city"), ({"city": 5}, "city"),
    ({"city": "Ber\u0000lin"}, "city"),
    ({"cityCode": ""}, "cityCode"), ({"cityCode": "1011"}, "cityCode"), ({"cityCode": "101155"}, "cityCode"),
    ({"cityCode": "ABCDE"}, "cityCode"), ({"cityCode": 10115}, "cityCode"), ({"cityCode": "１０１１５"}, "cityCode"),
    ({"cityCode": "10115", "country": "AT"}, "cityCode"),
    ({"country": "Germany"}, "country"), ({"country": "XX"}, "country"), ({"country": "de"}, "country"),
    ({"country": ""}, "country"), ({"country": None}, "country"),
    ({"name": ""}, "name"), ({"name": "---"}, "name"), ({"street": ""}, "street"), ({"street": 7}, "street"),
    ({"streetHousenumber": "12"}, "streetHousenumber"), ({"streetHousenumber": "12a"}, "streetHousenumber"),
    ({"streetHousenumber": 0}, "streetHousenumber"), ({"streetHousenumber": -1}, "streetHousenumber"),
    ({"streetHousenumber": 1.5}, "streetHousenumber"), ({"streetHousenumber": True}, "streetHousenumber"),
    ({"streetHousenumber": 2**63}, "streetHousenumber"), ({"organizationID": "1"}, "organizationID"),
    ({"surplus": 1}, "surplus"),
])
async def test_a_wrong_member_is_named_and_nothing_is_kept(site: Site, change: dict[str, object], field: str) -> None:
    bare, api = await _bare(site)
    got = await api("POST", "/sip-customer", {**ADDRESS, "organizationID": bare, **change})
    assert got.status == 400 and field in got.says
    assert (await api("GET", f"/sip-customer/{bare}")).body == {"exists": False}


@pytest.mark.parametrize("field", [*ADDRESS, "organizationID"])
async def test_every_member_is_required(site: Site, field: str) -> None:
    bare, api = await _bare(site)
    body = {**ADDRESS, "organizationID": bare}
    del body[field]
    got = await api("POST", "/sip-customer", body)
    assert got.status == 400 and field in got.says


@pytest.mark.parametrize("change", [
    {}, {"country": "AT", "cityCode": "1010"}, {"country": "NL", "cityCode": "1012 AB"},
    {"country": "IE", "cityCode": "D02 X285"}, {"streetHousenumber": 2**63 - 1}, {"street": "Q7"}])
async def test_a_good_address_is_kept_and_may_be_given_again(site: Site, change: dict[str, object]) -> None:
    bare, api = await _bare(site)
    for _ in range(2):
        got = await api("POST", "/sip-customer", {**ADDRESS, "organizationID": bare, **change})
        assert (got.status, got.body) == (200, {"exists": True})
    customer = await site.world.directory.sip_customer(bare)
    assert customer and customer.name == "Feuerwehr"


async def test_a_bad_path_id(site: Site) -> None:
    got = await site.api("GET", "/sip-customer/x")
    assert got.status == 400 and "id" in got.says
    assert (await site.api("GET", "/sip-customer/999999")).status == 404
