"""The Sensaphone.net API's OpenAPI document, its page, and Schemathesis against all that it describes.

That something wrong is refused is not asked: a failure has the status of a success here.
"""

import asyncio
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.sensaphone.routes import openapi
from tests.sensaphone_site import SensaphoneSite, sensaphone_site

EXAMPLES = 10           # per operation and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@dataclass
class Fuzz:
    """Runs in a thread of its own: schemathesis is synchronous."""

    site: SensaphoneSite
    ids: dict[str, Any]
    codes: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def run(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.site.root}/docs/sensaphone/openapi.json")
        with requests.Session() as session:
            operations = [result.ok() for result in schema.get_all_operations()]
            # what may remove the group, or end the session, comes last
            for operation in sorted(operations, key=lambda it: (
                    "{acctid}" not in it.path, it.method == "delete", it.path.endswith("/login"))):
                for mode in GenerationMode:
                    # any text is a name or a password
                    if mode is GenerationMode.POSITIVE or "login/{user_name}" not in operation.path:
                        self._operation(operation, mode, session)

    def _operation(self, operation: Any, mode: GenerationMode, session: requests.Session) -> None:
        @seed(20261125)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), exists=st.sampled_from([True, True, True, False]))
        def one(case: Any, exists: bool) -> None:
            if exists:
                self._existing(case.path_parameters)
                self._existing(case.body)
            response = case.call(session=session, timeout=20)
            case.validate_response(response, checks=CHECKS)
            self.codes[operation.definition.raw["operationId"]].add(response.json()["result"]["code"])

        one()

    def _existing(self, part: Any) -> None:
        if isinstance(part, list):
            for it in part:
                self._existing(it)
        elif isinstance(part, dict):
            part.update({name: value for name, value in self.ids.items() if name in part})
            for it in part.values():
                self._existing(it)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_operation_answers_as_documented(database_url: str) -> None:
    async with sensaphone_site(database_url) as site:
        contact = await site.contact()
        group = await site.group(users={"user_id": site.user_id}, contacts={"contact_id": contact})
        fuzz = Fuzz(site, {"acctid": site.acctid, "session": site.session, "group_id": group, "contact_id": contact,
                           "user_id": site.user_id})
        await asyncio.to_thread(fuzz.run)
    assert len(fuzz.codes) == 28
    worked = {"read_contact_groups", "read_contact_group", "read_contacts_of_contact_group", "rename_contact_group",
              "create_contact_group", "add_user_to_contact_group", "add_contact_to_contact_group", "read_contacts",
              "read_contact", "read_user", "create_user", "read_log_in", "delete_contact_group"}
    assert [name for name in sorted(worked) if 0 not in fuzz.codes[name]] == []


async def test_the_document_and_its_page_are_served(database_url: str) -> None:
    async with sensaphone_site(database_url) as site:
        async with site.ictcore.directory.api.session.get(f"{site.root}/docs/sensaphone/openapi.json") as got:
            assert await got.json() == openapi()
        for path in ("/docs", "/docs/ringward", "/docs/ictcore", "/docs/sensaphone"):
            async with site.ictcore.directory.api.session.get(f"{site.root}{path}") as got:
                assert '<a href="/docs/sensaphone">' in await got.text()


def test_the_document_has_every_operation_under_a_name_of_its_own() -> None:
    document = openapi()
    names = [it["operationId"] for path in document["paths"].values() for it in path.values()]
    assert len(names) == len(set(names)) == 28
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references == document["components"]["schemas"].keys()


def test_a_success_and_a_failure_have_the_same_status() -> None:
    responses = openapi()["paths"]["/api/v1/contactgroup"]["post"]["responses"]
    assert responses.keys() == {"200", "500", "503"}
    kinds = [it["$ref"].rpartition("/")[2] for it in responses["200"]["content"]["application/json"]["schema"]["anyOf"]]
    assert kinds == ["GroupsAnswer", "Failed"]
