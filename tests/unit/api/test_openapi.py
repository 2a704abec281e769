"""The OpenAPI document and its page."""

import re
from pathlib import Path
from typing import Any

from swagger_ui_bundle import swagger_ui_path

from tests.api_client import BASE, Client, Site

OPERATIONS = {
    "GET /agents", "POST /agents", "PUT /agents/{id}", "DELETE /agents/{id}", "GET /hotlines", "POST /hotlines",
    "GET /hotlines/{hotlineID}", "PUT /hotlines/{hotlineID}", "DELETE /hotlines/{hotlineID}",
    "GET /hotlines/{hotlineID}/logs", "GET /hotlines/{hotlineID}/logs/{logID}", "GET /hotlines/{hotlineID}/records",
    "POST /sip-customer", "GET /sip-customer/{id}"}


async def _document(site: Site) -> Any:
    return (await Client(site.api.session, site.url, {})("GET", "/openapi.json")).body


async def test_the_document_has_every_operation_of_the_contract(site: Site) -> None:
    document = await _document(site)
    assert document["openapi"].startswith("3.1")
    found = {f"{method.upper()} {path.removeprefix(BASE)}" for path, it in document["paths"].items() for method in it}
    assert found == OPERATIONS
    assert document["security"] == [{"API-TOKEN": []}, {"Personal-Access-Token": []}]
    for path in document["paths"].values():
        for operation in path.values():
            assert {"200", "400", "401", "500"} <= operation["responses"].keys() and operation["summary"]


async def test_the_document_tells_fields_ranges_and_defaults(site: Site) -> None:
    document = await _document(site)
    hotline = document["components"]["schemas"]["HotlineBody"]
    assert sorted(hotline["required"]) == ["agents", "isActive", "name", "organizationID"]
    assert hotline["additionalProperties"] is False
    channels = hotline["properties"]["channelsInbound"]
    assert (channels["minimum"], channels["maximum"], channels["default"], channels["type"]) == (1, 100, 10, "integer")
    assert hotline["properties"]["ttsInbound"]["maxLength"] == 300
    assert hotline["properties"]["ttsInbound"]["default"].startswith("Willkommen zur GroupAlarm.com")
    parameters = {it["name"]: it for it in document["paths"][f"{BASE}/hotlines"]["get"]["parameters"]}
    assert parameters["organization_id"]["required"] is True
    limit = parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"], limit["format"]) == (1, 50, 10, "int64")
    [owner, organisation] = sorted(document["paths"][f"{BASE}/agents"]["get"]["parameters"],
                                   key=lambda it: str(it["name"]), reverse=True)
    assert (owner["name"], owner["required"], organisation["required"]) == ("owner_id", True, False)
    assert organisation["schema"]["type"] == "integer"


async def test_every_reference_is_there(site: Site) -> None:
    document = await _document(site)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references == document["components"]["schemas"].keys()


async def test_the_page_shows_the_document_and_downloads_nothing_from_elsewhere(site: Site) -> None:
    async with site.api.session.get(site.url + "/docs") as got:
        page = await got.text()
        assert (got.status, got.content_type) == (200, "text/html")
        assert "default-src 'none'" in got.headers["Content-Security-Policy"]
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "//" not in "".join(linked)
    for path in (it for it in linked if it.startswith("/")):
        async with site.api.session.get(site.url + path) as got:
            assert got.status == 200 and len(await got.read()) > 100
    async with site.api.session.get(site.url + "/docs/start.js") as got:
        assert '"/openapi.json"' in await got.text()


def test_the_page_is_of_a_swagger_ui_that_can_show_3_1() -> None:
    version = re.search(r"swagger-ui-(\d+)", Path(str(swagger_ui_path)).name)
    assert version and int(version[1]) >= 5
