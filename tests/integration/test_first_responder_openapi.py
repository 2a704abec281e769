"""Schemathesis against the real server: whatever the OpenAPI document allows and much that it does not.

Half of the ids in what it makes up are replaced by existing ones, so that every operation is seen to work.
"""

import asyncio
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
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api_client import ADDRESS, BASE, Site, served
from tests.directories import NOON, world

EXAMPLES = 25           # per operation and mode: 14 operations, twice
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance]


@dataclass
class Fuzz:
    """Runs in a thread of its own: schemathesis is synchronous."""

    site: Site
    hotline_id: int
    log_id: int
    phone_id: int
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def run(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.site.url}/openapi.json")
        with requests.Session() as session:
            session.headers.update(self.site.api.headers)
            operations = [result.ok() for result in schema.get_all_operations()]
            for operation in sorted(operations, key=lambda it: it.method == "delete"):     # they may hit what we need
                for mode in GenerationMode:
                    self._operation(operation, mode, session)

    def _operation(self, operation: Any, mode: GenerationMode, session: requests.Session) -> None:
        @seed(20261121)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), exists=st.booleans())
        def one(case: Any, exists: bool) -> None:
            if exists and mode is GenerationMode.POSITIVE:
                self._existing(case, session)
            response = case.call(session=session, timeout=10)
            checks = CHECKS if exists or mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
            case.validate_response(response, checks=checks)
            self.statuses[f"{case.method} {operation.path.removeprefix(BASE)}"].add(response.status_code)

        one()

    def _existing(self, case: Any, session: requests.Session) -> None:
        """Put ids in that are there; what a DELETE removes is made for it."""
        org, user = self.site.org.id, self.site.org.users[0]
        ids = {"hotlineID": self.hotline_id, "logID": self.log_id, "organization_id": org, "owner_id": user,
               "organizationID": org, "userID": user, "agents": self.site.org.users, "phone": "004924155660",
               "id": org if "sip-customer" in case.path else self.phone_id}
        if case.method == "DELETE":
            ids |= self._removable(session)
        if "sip-customer" in case.path:
            ids |= ADDRESS
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                part.update({name: value for name, value in ids.items() if name in part})
        if case.query is not None and "agents" in case.path:
            case.query["organization_id"] = org

    def _removable(self, session: requests.Session) -> dict[str, int]:
        base, org = self.site.url + BASE, {"organization_id": self.site.org.id}
        body = self.site.phone_body(self.site.org.users[0])
        phone = session.post(f"{base}/agents", json=body, params=org, timeout=10)
        hotline = session.post(f"{base}/hotlines", json=self.site.hotline_body(), timeout=10)
        return {"id": phone.json()["id"], "hotlineID": hotline.json()["id"]}


@pytest.mark.slow
async def test_every_operation_works_and_answers_as_documented(database_url: str) -> None:
    async with world(database_url) as w, served(w) as site:
        await w.directory.add_numbers([f"+49{n}" for n in range(100_000, 101_000)])
        await w.directory.set_allow_admins(site.org.id, site.org.users[0], True)
        hotline = await site.org.hotline()
        log_id = await w.write_log(hotline, NOON, entries=3)
        await w.write_record(hotline, log_id, NOON, 3)
        phone_id = await site.org.phone(site.org.users[0], "+4924155660")
        fuzz = Fuzz(site, hotline.hotline_id, log_id, phone_id)
        await asyncio.to_thread(fuzz.run)
    assert len(fuzz.statuses) == 14
    assert [name for name, seen in fuzz.statuses.items() if 200 not in seen] == []
    assert [name for name, seen in fuzz.statuses.items() if not any(400 <= it < 500 for it in seen)] == []
