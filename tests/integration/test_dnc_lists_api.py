"""`/ringward/v1/dnc-lists` over real HTTP on a real Postgres."""

from collections.abc import AsyncIterator

import pytest

from api.ringward import dnc_lists
from tests.directory_site import UNKNOWN, Answer, DirectorySite, directory_site

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def dnc_list(site: DirectorySite, *numbers: str) -> int:
    list_id = int((await site.api.made("/dnc-lists", {"name": "Robinson"}))["id"])
    if numbers:
        assert (await site.api("POST", f"/dnc-lists/{list_id}/numbers", {"numbers": list(numbers)})).status == 200
    return list_id


async def numbers(site: DirectorySite, list_id: int) -> list[str]:
    return [it["number"] for it in await site.api.all(f"/dnc-lists/{list_id}/numbers", limit=2)]


async def upload(site: DirectorySite, list_id: int, text: str | bytes) -> Answer:
    data = text.encode() if isinstance(text, str) else text
    return await site.api("POST", f"/dnc-lists/{list_id}/numbers", data=data, headers=CSV)


# --- lists

async def test_lists_are_made_read_renamed_and_removed(site: DirectorySite) -> None:
    made = await site.api.made("/dnc-lists", {"name": "Robinson"})
    assert (made["name"], made["isOptOut"]) == ("Robinson", False)
    path = f"/dnc-lists/{made['id']}"
    renamed = await site.api("PUT", path, {**made, "name": "Nord"})
    assert (renamed.status, renamed.body) == (200, {**made, "name": "Nord"})
    assert await site.api.all("/dnc-lists", limit=1) == [renamed.body]
    assert (await site.api("DELETE", path)).status == 204
    for method, body in (("GET", None), ("PUT", {"name": "a"}), ("DELETE", None)):
        assert (await site.api(method, path, body)).status == 404


async def test_a_create_that_is_sent_again_makes_nothing_new(site: DirectorySite) -> None:
    key = {"Idempotency-Key": "k"}
    answers = [await site.api("POST", "/dnc-lists", {"name": "a"}, headers=key) for _ in range(2)]
    assert [it.status for it in answers] == [201, 200] and answers[0].body == answers[1].body
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    other = await site.api("POST", "/dnc-lists", {"name": "b"}, headers=key)
    assert (other.status, other.fields) == (409, ["Idempotency-Key"])
    assert len(await site.api.all("/dnc-lists")) == 1


async def test_a_list_that_a_campaign_goes_by_stays(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    campaign_id = await site.pool.fetchval(
        "INSERT INTO campaigns (organisation_id, program_id, group_id, dnc_list_ids) "
        "VALUES ($1, 1, 1, ARRAY[$2::bigint]) RETURNING id", site.org.id, list_id)
    refused = await site.api("DELETE", f"/dnc-lists/{list_id}")
    assert refused.status == 409 and f"campaign {campaign_id}" in refused.body["detail"]
    await site.pool.execute("UPDATE campaigns SET status = 'completed'")
    assert (await site.api("DELETE", f"/dnc-lists/{list_id}")).status == 204


async def test_the_list_of_those_who_opted_out_stays(site: DirectorySite) -> None:
    list_id = await dnc_list(site, "+4930555001")
    await site.pool.execute("UPDATE dnc_lists SET is_opt_out = true")
    assert (await site.api("GET", f"/dnc-lists/{list_id}")).body["isOptOut"] is True
    assert (await site.api("DELETE", f"/dnc-lists/{list_id}")).status == 409
    assert (await site.api("DELETE", f"/dnc-lists/{list_id}/numbers/+4930555001")).status == 204


# --- numbers as JSON

async def test_numbers_are_kept_as_e164_and_once(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    answer = await site.api("POST", f"/dnc-lists/{list_id}/numbers", {
        "numbers": ["030 555001", "+49 (30) 555-001", "0043 1 5880", "+4930555002"]})
    assert (answer.status, answer.body) == (200, {"added": 3, "known": 0})
    again = await site.api("POST", f"/dnc-lists/{list_id}/numbers", {"numbers": ["030555001", "030555003"]})
    assert again.body == {"added": 1, "known": 1}
    assert await numbers(site, list_id) == ["+4315880", "+4930555001", "+4930555002", "+4930555003"]


async def test_numbers_of_different_length_come_in_pages_without_a_gap(site: DirectorySite) -> None:
    wanted = [f"+4930{n}" for n in (1000, 10000, 100000, 1001, 2000, 20001, 999)]
    list_id = await dnc_list(site, *wanted)
    assert await numbers(site, list_id) == sorted(wanted)


async def test_a_number_is_taken_off(site: DirectorySite) -> None:
    list_id = await dnc_list(site, "+4930555001", "+4930555002")
    assert (await site.api("DELETE", f"/dnc-lists/{list_id}/numbers/+4930555001")).status == 204
    assert (await site.api("DELETE", f"/dnc-lists/{list_id}/numbers/4930555001")).status == 404
    assert await numbers(site, list_id) == ["+4930555002"]


async def test_with_one_bad_number_nothing_is_added(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    wrong = await site.api("POST", f"/dnc-lists/{list_id}/numbers", {"numbers": ["030 555001", "x", "12", ""]})
    assert (wrong.status, wrong.fields) == (422, ["numbers[1]", "numbers[2]", "numbers[3]"])
    assert wrong.body["type"].endswith("invalid-number")
    assert await numbers(site, list_id) == []


@pytest.mark.parametrize("body", [{}, {"numbers": []}, {"numbers": [1]}, {"numbers": ["1"], "more": 1}, []])
async def test_what_is_no_list_of_numbers_is_malformed(site: DirectorySite, body: object) -> None:
    assert (await site.api("POST", f"/dnc-lists/{await dnc_list(site)}/numbers", body)).status == 400


# --- numbers as CSV

@pytest.mark.parametrize("text", [
    "030555001\n030555002\n", "phone\r\n030555001\r\n+4930555002", "name;phone\nAnna;030 555001\nBert;030 555002\n",
    "\ufeffNumber,name\n030555001,a\n\n030555002,b\n", "030555001,Anna\n030555002,Bert\n030555001,again\n"])
async def test_a_file_is_added(site: DirectorySite, text: str) -> None:
    list_id = await dnc_list(site)
    answer = await upload(site, list_id, text)
    assert (answer.status, answer.body) == (200, {"added": 2, "known": 0})
    assert await numbers(site, list_id) == ["+4930555001", "+4930555002"]


async def test_with_one_bad_line_nothing_of_a_file_is_added(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    wrong = await upload(site, list_id, "phone,name\n030555001,a\nx,b\n030555002\n,c\n")
    assert (wrong.status, wrong.fields) == (422, ["line 3", "line 5"])
    assert await numbers(site, list_id) == []


async def test_of_a_file_without_end_of_line_the_line_is_named(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    wrong = await upload(site, list_id, b"030555001\n" + b"1" * 100_000)
    assert (wrong.status, wrong.fields) == (422, ["line 2"])


async def test_an_empty_file_and_another_type_are_refused(site: DirectorySite) -> None:
    path = f"/dnc-lists/{await dnc_list(site)}/numbers"
    assert (await site.api("POST", path, data=b"", headers=CSV)).status == 411
    assert (await site.api("POST", path, data=b"x", headers={"Content-Type": "application/xml"})).status == 415


async def test_a_long_list_goes_in_and_out_as_csv(site: DirectorySite) -> None:
    list_id = await dnc_list(site)
    wanted = [f"+4930{n}" for n in range(1_000_000, 1_012_000)]
    assert (await upload(site, list_id, "\n".join(wanted))).body == {"added": 12_000, "known": 0}
    out = await site.api("GET", f"/dnc-lists/{list_id}/numbers", headers={"Accept": "text/csv"})
    assert out.headers["Content-Type"].startswith("text/csv")
    assert out.body.decode().split() == wanted
    other = await dnc_list(site)
    assert (await upload(site, other, out.body)).body["added"] == 12_000
    empty = await site.api("GET", f"/dnc-lists/{await dnc_list(site)}/numbers", headers={"Accept": "text/csv"})
    assert (empty.status, empty.body) == (200, None)


async def test_more_than_fits_into_json_is_refused(site: DirectorySite) -> None:
    path = f"/dnc-lists/{await dnc_list(site)}/numbers"
    much = b'{"numbers": ["' + b"0" * dnc_lists.MANY_BYTES + b'"]}'
    assert (await site.api("POST", path, data=much, headers={"Content-Type": "application/json"})).status == 413


# --- who

async def test_only_admins_of_the_organisation(site: DirectorySite) -> None:
    list_id = await dnc_list(site, "+4930555001")
    _, person = await site.somebody()
    other = await site.other()
    for method, path, body in (
            ("GET", "", None), ("PUT", "", {"name": "a"}), ("DELETE", "", None), ("GET", "/numbers", None),
            ("POST", "/numbers", {"numbers": ["030555002"]}), ("DELETE", "/numbers/+4930555001", None)):
        assert (await person(method, f"/dnc-lists/{list_id}{path}", body)).status == 403, (method, path)
        assert (await other.api(method, f"/dnc-lists/{list_id}{path}", body)).status == 404, (method, path)
        assert (await site.api(method, f"/dnc-lists/{UNKNOWN}{path}", body)).status == 404, (method, path)
    assert (await person("POST", "/dnc-lists", {"name": "a"})).status == 403
    assert await numbers(site, list_id) == ["+4930555001"]
