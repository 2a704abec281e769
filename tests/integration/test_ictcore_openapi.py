"""Schemathesis against `/ictcore`: whatever its OpenAPI document allows and much that it does not.

Most ids in what it makes up are replaced by existing ones. That something wrong is refused is not asked: the API
reads numbers as texts and texts as numbers.
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

from tests.ictcore_programs import SCHEME, Made
from tests.ictcore_site import IctcoreSite, ictcore_site

EXAMPLES = 3            # per operation and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MAY_REMOVE = ("delete", "put")
# the token would be none any more; schemathesis makes no sound
NOT_CALLED = re.compile(r"/cancel$|recordings/\{recording_id\}/media$")


@dataclass
class Fuzz:
    """Runs in a thread of its own: schemathesis is synchronous."""

    site: IctcoreSite
    ids: dict[str, Any]
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def run(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.site.base}/openapi.json")
        with requests.Session() as session:
            session.headers.update(self.site.admin.headers)
            operations = [result.ok() for result in schema.get_all_operations()]
            for operation in sorted(operations, key=lambda it: it.method in MAY_REMOVE):
                if not NOT_CALLED.search(operation.path):
                    for mode in GenerationMode:
                        self._operation(operation, mode, session)

    def _operation(self, operation: Any, mode: GenerationMode, session: requests.Session) -> None:
        @seed(20261125)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), exists=st.sampled_from([True, True, True, False]))
        def one(case: Any, exists: bool) -> None:
            if exists and mode is GenerationMode.POSITIVE:
                self._existing(case)
            response = case.call(session=session, timeout=20)
            # a download is of the type that was uploaded
            checks = [it for it in CHECKS if it is not content_type_conformance or not case.path.endswith("/media")]
            case.validate_response(response, checks=checks)
            self.statuses[operation.definition.raw["operationId"]].add(response.status_code)

        one()

    def _existing(self, case: Any) -> None:
        case.headers.pop("Idempotency-Key", None)       # the same one with another body is refused
        for part in (case.path_parameters, case.body):
            if isinstance(part, dict):
                part.update({name: value for name, value in self.ids.items() if name in part})


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_operation_answers_as_documented(database_url: str) -> None:
    async with ictcore_site(database_url) as site:
        made = await Made.all(site, site.admin)
        await made.may_call()
        program_id = await made.program()
        transmission_id = await made.transmission(program_id=program_id)
        spool = await site.admin("POST", f"/transmissions/{await made.transmission()}/send")
        user_id, _ = await site.user()
        group_id = (await site.admin("POST", "/groups", {"name": "all"})).body["group_id"]
        ids = {**made.values, "contact_id": made.contact_id, "program_id": program_id, "user_id": user_id,
               "transmission_id": transmission_id, "group_id": group_id, **spool.body, "parent_id": None,
               "ivr_scheme": SCHEME, "program": str(program_id)}
        fuzz = Fuzz(site, ids)
        await asyncio.to_thread(fuzz.run)
    worked = {"create_transmission", "create_voicetts", "send_transmission", "get_transmission",
              "list_transmission_spools", "get_program", "get_spool_status", "get_statistics", "update_program",
              "clone_transmission"}
    assert [name for name in worked if 200 not in fuzz.statuses[name]] == []
    assert [name for name, seen in fuzz.statuses.items() if seen == {200} and name.startswith("create_")] == []
