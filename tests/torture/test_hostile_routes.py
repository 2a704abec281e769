"""What is attacked is everything that there is: the router's paths, each operation, each field of each body."""

import pytest

from api.app import create_app
from api.ringward.frame import Base
from engine.settings import Settings
from tests.directories import world
from tests.directory_site import directory_site
from tests.torture.hostile_bodies import BODIES, IGNORED
from tests.torture.hostile_estate import ROOTS, Estate, bytes_of
from tests.torture.hostile_routes import all_routes

OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
# in the place of others that an honest body has, or put there by the estate's client
EITHER = {"acctid", "session", "request_type", "userID", "numbers", "delay", "timestamp", "datetime", "weekday"}
# an honest request is refused by what the estate is, not by who asks
OTHERWISE = {
    "ringward POST /organisations": 403, "ringward DELETE /organisations/{id}": 403,
    "ringward POST /alarms/{id}/recipients/{rid}/acknowledge": 409,     # it is over
    "ringward POST /webhooks/{id}/replay-dead": 409, "ringward POST /webhooks/{id}/deliveries/{deliveryID}/replay": 409,
    "ictcore PUT /campaigns/{campaign_id}/start": 423, "ictcore POST /transmissions/{transmission_id}/retry": 423,
    # a picture has no second page
    **dict.fromkeys((f"ictcore POST {it}/documents/{{document_id}}/media" for it in ("", "/messages")), 415)}


def test_every_operation_with_a_body_has_an_honest_one_with_each_of_its_fields() -> None:
    own = dict.fromkeys(("user", "contact", "group", "organisation", "dnc", "recording", "document", "template",
                         "text", "account", "extension", "did", "program"), 1) | {
        "new": "n", "username": "u", "password": "p"}
    for route in all_routes():
        if route.fields and route.method != "uri":
            assert route.name in BODIES, f"no honest body for {route.name}"
            missing = route.fields - BODIES[route.name](own).keys() - IGNORED
            assert missing <= EITHER, f"{route.name}: {missing}"
        elif route.consumes:
            assert bytes_of(route), f"no honest file for {route.name}"
    assert BODIES.keys() <= {it.name for it in all_routes()}


async def test_every_path_of_the_application_is_an_operation_of_an_api(database_url: str) -> None:
    """Read off the router that serves: a new API, or a route beside the tables, is red here."""
    typed = {f"{ROOTS[it.api]}{it.path}" for it in all_routes() if it.api in ("ringward", "first-responder")}
    doors = ("/ictcore", "/ictcore/{tail}", "/api/v1/{tail}", "/api/v2/{tail}", "/api/v3/{tail}")
    async with world(database_url) as made:
        app = create_app(made.directory, Base(made.pool, database_url, Settings(database_url=database_url), 5))
        served = {it.resource.canonical for it in app.router.routes() if it.resource is not None}
    others = {it for it in served - typed - OPEN if not it.startswith(doors)}
    assert {it for it in others if not it.startswith("/docs") and not it.endswith("openapi.json")} == set()
    assert typed <= served


@pytest.mark.parametrize("api", ROOTS)
async def test_every_operation_takes_what_an_honest_client_sends(database_url: str, api: str) -> None:
    """Else the attacks of the other files would be refused for another reason. (What removes finds little left of what
    it removes: the other files call it.)"""
    refused = {}
    async with directory_site(database_url) as site:
        estate = await Estate.built(site.api.session, site.root, site.pool)
        for route in (it for it in all_routes() if it.api == api and it.method not in ("DELETE", "delete")):
            if api.startswith("sensaphone"):
                await estate.log_in()
            got = await estate.ask(route, body=estate.body(route))
            is_good = 200 <= got.status < 300 and not got.is_refused
            if not is_good and OTHERWISE.get(route.name) != got.status:
                refused[route.name] = (got.status, got.body[:200])
    assert not refused, "\n".join(f"{name}: {it}" for name, it in refused.items())

