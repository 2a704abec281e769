"""Numbers below `/ringward/v1`, on a real Postgres over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import DirectorySite, directory_site


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def test_a_number_is_taken_named_and_given_back_to_the_end_of_the_pool(site: DirectorySite) -> None:
    first, second = [it["number"] for it in await site.system.all("/numbers", limit=1)]
    made = await site.api.made("/numbers", {"organizationID": site.org.id, "name": "Alarme"})
    assert made == {"number": first, "name": "Alarme", "use": "alarm", "organizationID": site.org.id, "hotlineID": None}
    renamed = await site.api("PUT", f"/numbers/{first}", {**made, "name": ""})
    assert renamed.body == {**made, "name": ""} == (await site.api("GET", f"/numbers/{first[1:]}")).body
    assert await site.api.all("/numbers") == [renamed.body]

    assert (await site.api("DELETE", f"/numbers/{first}")).status == 204
    assert (await site.api("DELETE", f"/numbers/{first}")).status == 404
    taken = [(await site.api.made("/numbers", {}))["number"] for _ in range(2)]
    assert taken == [second, first]
    empty = await site.api("POST", "/numbers", {})
    assert (empty.status, empty.body["type"]) == (409, "urn:ringward:problem:no-number-left")


async def test_numbers_taken_at_once_are_different_ones(site: DirectorySite) -> None:
    got = await asyncio.gather(*[site.api("POST", "/numbers", {}) for _ in range(6)])
    made = [it.body["number"] for it in got if it.status == 201]
    assert len(made) == len(set(made)) == 2
    assert sorted(it.status for it in got) == [201, 201, 409, 409, 409, 409]


async def test_a_hotlines_number_is_listed_and_stays_with_it(site: DirectorySite) -> None:
    hotline = await site.org.hotline()
    own = await site.api.made("/numbers", {"name": "Alarme"})
    assert await site.api.all("/numbers", limit=1) == [
        {"number": hotline.number, "name": "Brand", "use": "hotline", "organizationID": site.org.id,
         "hotlineID": hotline.hotline_id}, own]
    for method, body in (("PUT", {"name": "X"}), ("DELETE", None)):
        refused = await site.api(method, f"/numbers/{hotline.number}", body)
        assert (refused.status, refused.fields) == (409, ["number"])
    assert (await site.world.hotlines.by_number(hotline.number[1:])) is not None


async def test_a_system_token_fills_the_pool_and_takes_free_numbers_out(site: DirectorySite) -> None:
    added = await site.system("POST", "/numbers", {"numbers": ["+49 30 555123", "004930555124", "+4930555123"]})
    assert (added.status, added.body) == (201, {"added": ["+4930555123", "+4930555124"]})
    again = await site.system("POST", "/numbers", {"numbers": ["+4930555123"]})
    assert (again.status, again.body) == (201, {"added": []})
    assert [it["number"] for it in await site.system.all("/numbers", limit=3)][-2:] == ["+4930555123", "+4930555124"]

    own = await site.api.made("/numbers", {})
    assert (await site.system("GET", f"/numbers/{own['number']}")).body == own
    assert (await site.system("DELETE", f"/numbers/{own['number']}")).status == 409
    assert (await site.system("DELETE", "/numbers/+4930555123")).status == 204
    assert (await site.system("DELETE", "/numbers/+4930555123")).status == 404


@pytest.mark.parametrize("wrong, field", [
    ({}, "numbers"), ({"name": "A"}, "numbers"), ({"numbers": []}, "numbers"), ({"numbers": ["030 555"]}, "numbers[0]"),
    ({"numbers": ["+4930555123", "+12"]}, "numbers[1]"), ({"numbers": ["+49305551234567890"]}, "numbers[0]"),
])
async def test_what_is_wrong_with_numbers_for_the_pool_is_named(
        site: DirectorySite, wrong: dict[str, Any], field: str) -> None:
    answer = await site.system("POST", "/numbers", wrong)
    assert (answer.status, answer.fields) == (400, [field])


async def test_only_admins_have_numbers_and_only_their_own(site: DirectorySite) -> None:
    other = await site.other()
    own = await site.api.made("/numbers", {"name": "A"})
    path = f"/numbers/{own['number']}"
    for method, body in (("GET", None), ("PUT", {"name": "X"}), ("DELETE", None)):
        assert (await other.api(method, path, body)).status == 404
    assert (await other.api("POST", "/numbers", {"organizationID": site.org.id})).fields == ["organizationID"]
    assert (await site.api("POST", "/numbers", {"numbers": ["+4930555123"]})).fields == ["numbers"]
    assert (await site.api("POST", "/numbers", {"name": "a\0"})).fields == ["name"]
    assert (await site.api("GET", "/numbers/hotline")).fields == ["number"]
    _, person = await site.somebody()
    for method, at, body in (("GET", "/numbers", None), ("GET", path, None), ("PUT", path, {"name": "X"}),
                             ("DELETE", path, None), ("POST", "/numbers", {})):
        assert (await person(method, at, body)).status == 403
    assert await site.api.all("/numbers") == [own]
