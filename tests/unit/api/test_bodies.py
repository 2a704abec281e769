"""Bodies that are no good JSON: always a clear 400 or 413 with the error body, never a 500."""

import json

import pytest
from aiohttp import hdrs

from api.json_body import BODY_LIMIT
from tests.api_client import ADDRESS, Site

PATHS = [("POST", "/hotlines"), ("PUT", "/hotlines/1"), ("POST", "/agents"), ("PUT", "/agents/1"),
         ("POST", "/sip-customer")]


@pytest.mark.parametrize(("data", "says"), [
    (b"", "not valid JSON"), (b"{", "not valid JSON"), (b"{'a': 1}", "not valid JSON"), (b"{} {}", "not valid JSON"),
    (b"\xff\xfe{\x00}\x00", "not valid JSON"), (b'{"name": "\xff"}', "not valid JSON"),
    (b"\xef\xbb\xbf{}", "not valid JSON"), (b'{"name": "a\nb"}', "not valid JSON"),
    (b'{"a": NaN}', "NaN"), (b'{"a": -Infinity}', "Infinity"), (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
    (b"[" * 30_000 + b"]" * 30_000, "nested too deep"), (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deep"),
    (b'{"name": "a", "name": "b"}', "'name' is given twice"), (b'{"x": {"y": 1, "y": 2}}', "'y' is given twice"),
    (b"{" + b",".join(b'"%d":0' % n for n in range(501)) + b"}", "more than 500 members"),
    (b"null", "body"), (b"[]", "body"), (b'"text"', "body"), (b"5", "body"), (b"{}", "organizationID"),
])
async def test_a_body_that_says_nothing_clear_is_refused(site: Site, data: bytes, says: str) -> None:
    for method, path in PATHS:
        got = await site.api(method, path, data=data, headers={hdrs.CONTENT_TYPE: "application/json"})
        assert got.status == 400 and (says in got.says or says == "organizationID")


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "multipart/form-data",
    "application/xml"])
async def test_another_content_type_is_refused(site: Site, content_type: str) -> None:
    data = json.dumps({**ADDRESS, "organizationID": site.org.id}).encode()
    got = await site.api("POST", "/sip-customer", data=data, headers={hdrs.CONTENT_TYPE: content_type})
    assert got.status == 400 and "body" in got.says


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"])
async def test_json_in_utf_8_is_read(site: Site, content_type: str) -> None:
    data = json.dumps({**ADDRESS, "organizationID": site.org.id}, ensure_ascii=False).encode()
    got = await site.api("POST", "/sip-customer", data=data, headers={hdrs.CONTENT_TYPE: content_type})
    assert got.status == 200


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    for method, path in PATHS:
        got = await site.api(method, path, {"name": "x" * BODY_LIMIT})
        assert got.status == 413 and got.says


async def test_a_very_long_member_name_is_refused_with_a_short_answer(site: Site) -> None:
    got = await site.api("POST", "/hotlines", site.hotline_body() | {"\ud800" + "x" * 10_000: 1})
    assert got.status == 400 and len(got.says) < 2000


async def test_unknown_paths_and_methods_are_told_with_the_error_body(site: Site) -> None:
    assert "Not Found" in (await site.api("GET", "/nothing")).says
    got = await site.api("PATCH", "/hotlines")
    assert got.status == 405 and "Method" in got.says and "POST" in got.headers["Allow"]
