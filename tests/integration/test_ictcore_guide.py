"""Every route that ICTCore's guide prints is there, by its headings; and a page shows them all."""

import re

import pytest

from api.errors import NotFound
from api.ictcore.door import Table
from api.ictcore.routes import openapi, routes
from tests.ictcore_site import ictcore_site

GUIDE = """
/authenticate                                           POST
/programs                                               GET
/programs/{program_id}                                  GET DELETE
/programs/{program_id}/transmissions                    PUT GET
/programs/emailtofax                                    POST
/programs/faxtoemail                                    POST
/programs/receiveemail                                  POST
/programs/receivefax                                    POST
/programs/receivesms                                    POST
/programs/sendemail                                     POST
/programs/sendfax                                       POST
/programs/sendsms                                       POST
/programs/voicemessage                                  POST
/programs/voicetts                                      POST
/transmissions                                          POST GET
/transmissions/{transmission_id}                        GET DELETE
/transmissions/{transmission_id}/send                   POST
/transmissions/{transmission_id}/retry                  POST
/transmissions/{transmission_id}/schedule               PUT DELETE
/transmissions/{transmission_id}/clone                  GET
/contacts                                               POST GET
/contacts/{contact_id}                                  GET PUT DELETE
/contacts/{contact_id}/link/{group_id}                  PUT DELETE
/groups                                                 POST GET
/groups/{group_id}                                      GET PUT DELETE
/groups/{group_id}/contacts                             GET
/groups/{group_id}/csv                                  POST GET
/groups/sample/csv                                      GET
/campaigns                                              POST GET
/campaigns/{campaign_id}                                PUT GET DELETE
/campaigns/{campaign_id}/start                          PUT
/campaigns/{campaign_id}/stop                           PUT
/campaigns/{campaign_id}/start/schedule                 POST
/campaigns/{campaign_id}/stop/schedule                  POST
/campaigns/{campaign_id}/schedule                       POST
/messages/documents                                     POST GET
/messages/documents/{document_id}                       GET PUT DELETE
/messages/documents/{document_id}/media                 PUT GET
/messages/recordings                                    POST GET
/messages/recordings/{recording_id}                     GET PUT DELETE
/messages/recordings/{recording_id}/media               PUT GET
/messages/templates                                     POST GET
/messages/templates/{template_id}                       GET PUT DELETE
/messages/templates/{template_id}/media                 PUT GET
/messages/texts                                         POST GET
/messages/texts/{text_id}                               GET PUT DELETE
/transmissions/{transmission_id}/status                 GET
/transmissions/{transmission_id}/detail                 GET
/transmissions/{transmission_id}/result                 GET
/spools/{spool_id}/status                               GET
/spools/{spool_id}/result                               GET
/accounts                                               POST GET
/accounts/{account_id}                                  GET PUT DELETE
/accounts/{account_id}/programs/{program_id}            PUT DELETE
/accounts/{account_id}/programs                         DELETE
/accounts/{account_id}/users/{user_id}                  PUT
/accounts/{account_id}/users                            DELETE
/accounts/{account_id}/settings/{name}                  GET PUT DELETE
/users                                                  POST GET
/users/{user_id}                                        GET PUT DELETE
/users/{user_id}/password                               PUT
/users/{user_id}/roles/{role_id}                        PUT DELETE
/users/{user_id}/permissions/{permission_id}            PUT DELETE
/providers                                              POST GET
/providers/{provider_id}                                PUT GET DELETE
"""
# Printed in data structures or seen in ICTCore's own source.
OBSERVED = """
/authenticate/cancel                                    POST
/programs                                               POST
/programs/ivr                                           POST GET
/programs/agent/transmissions                           POST
/transmissions/{transmission_id}                        PUT
/transmissions/{transmission_id}/logs                   GET
/transmissions/{transmission_id}/spools                 GET
/transmissions/{transmission_id}/results                GET
/spools/{spool_id}/results                              GET
/calls                                                  GET
/faxes                                                  GET
/smses                                                  GET
/emails                                                 GET
/texts                                                  POST GET
/dids                                                   POST GET
/extensions                                             POST GET
/statistics                                             GET
"""
ROUTES = [(method, path) for path, *methods in map(str.split, f"{GUIDE.strip()}{OBSERVED}".splitlines())
          for method in methods]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_route_is_there(method: str, path: str) -> None:
    asked = re.sub(r"\{\w+\}", "1", path)
    try:
        operation, _ = Table(routes.operations).find(method, asked)
    except NotFound:
        pytest.fail(f"{method} {path}")
    assert operation.method == method


async def test_the_document_and_its_page_are_served(database_url: str) -> None:
    async with ictcore_site(database_url) as site:
        root = site.base.removesuffix("/ictcore")
        document = (await site.client()("GET", "/openapi.json")).body
        assert document == openapi() and document["openapi"].startswith("3.1")
        page = (await site.client()("GET", f"{root}/docs/ictcore")).body.decode()
        assert "/docs/ictcore/start.js" in page and "ICTCore" in page
        for path in ("/docs", "/docs/ringward"):
            assert '<a href="/docs/ictcore">' in (await site.client()("GET", root + path)).body.decode()


def test_the_document_has_every_operation_under_a_name_of_its_own() -> None:
    document = openapi()
    found = [it for path in document["paths"].values() for it in path.values()]
    names = [it["operationId"] for it in found]
    assert len(names) == len(set(names)) == len({(it.method, it.path) for it in routes.operations})
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references == document["components"]["schemas"].keys()
    assert [it["operationId"] for it in found if it.get("security") == []] == ["authenticate"]


def test_a_create_tells_its_id_and_takes_an_idempotency_key() -> None:
    post = openapi()["paths"]["/ictcore/programs/ivr"]["post"]
    schema = post["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert openapi()["components"]["schemas"][schema]["required"] == ["program_id"]
    assert [it["name"] for it in post["parameters"]] == ["Idempotency-Key"]
    assert "content" not in openapi()["paths"]["/ictcore/programs/{program_id}"]["delete"]["responses"]["200"]
