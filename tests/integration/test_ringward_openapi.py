"""Schemathesis against `/ringward/v1`: whatever its OpenAPI document allows and much that it does not.

Half of the ids in what it makes up are replaced by existing ones. Not called: streams of events, which never end, and
whatever would make the server look at a target that is made up.
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
    response_schema_conformance,
    status_code_conformance,
)

from api.ringward import alarms
from api.ringward.frame import PREFIX
from tests.alarm_orders import AlarmSite, alarm_site

EXAMPLES = 5            # per operation and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NOT_CALLED = {"stream_events", "stream_campaign_events", "create_webhook", "update_webhook"}
MAY_REMOVE = ("delete", "put")


@dataclass
class Fuzz:
    """Runs in a thread of its own: schemathesis is synchronous."""

    site: AlarmSite
    ids: dict[str, Any]
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def run(self) -> None:
        api = self.site.site.api
        schema = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
        with requests.Session() as session:
            session.headers.update(api.headers)
            operations = [result.ok() for result in schema.get_all_operations()]
            for operation in sorted(operations, key=lambda it: it.method in MAY_REMOVE):
                if operation.definition.raw["operationId"] not in NOT_CALLED:
                    for mode in GenerationMode:
                        self._operation(operation, mode, session)

    def _operation(self, operation: Any, mode: GenerationMode, session: requests.Session) -> None:
        @seed(20261122)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
                  suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode), exists=st.booleans())
        def one(case: Any, exists: bool) -> None:
            if exists and mode is GenerationMode.POSITIVE:
                self._existing(case)
            response = case.call(session=session, timeout=20)
            checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
            case.validate_response(response, checks=checks)
            self.statuses[operation.definition.raw["operationId"]].add(response.status_code)

        one()

    def _existing(self, case: Any) -> None:
        ids = self.ids | {"id": self.ids[next((it for it in self.ids if case.path.startswith(f"{PREFIX}{it}")), "id")]}
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                part.update({name: value for name, value in ids.items() if name in part})


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_operation_answers_as_documented(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "ORDER_WAIT_S", 0.0)
    async with alarm_site(database_url) as site:
        alarm = await site.posted()
        contact = await site.contact("030 5551001")
        group = await site.group({"contactID": contact})
        org, user = site.site.org.id, site.users[0]
        campaign = await site.pool.fetchval(
            "WITH p AS (INSERT INTO programs (organisation_id, name, type) VALUES ($1, 'p', 'voicetts') RETURNING id) "
            "INSERT INTO campaigns (organisation_id, program_id, group_id) SELECT $1, id, $2 FROM p RETURNING id",
            org, group)
        dnc_list = (await site.site.api.made("/dnc-lists", {"name": "d"}))["id"]
        fuzz = Fuzz(site, {
            "/alarms": alarm["id"], "/contacts": contact, "/contact-groups": group, "/users": user,
            "/campaigns": campaign, "/dnc-lists": dnc_list, "dncListIDs": [dnc_list], "callerIDs": [], "id": org,
            "rid": alarm["recipients"][0]["id"], "organizationID": org, "message": {"de": "Feuer"}, "fields": {},
            "recipients": [{"userID": user}, {"contactID": contact}, {"groupID": group}], "acknowledge": {},
            "strategy": {}, "closing": None,
            "retry": {}, "ringTimeoutS": 25, "expiresS": 60})     # 1.0 is an integer for a schema, and none for us
        await asyncio.to_thread(fuzz.run)
    assert fuzz.statuses["create_alarm"] >= {201, 400}
    worked = {"create_alarm": 201, "get_alarm": 200, "list_alarms": 200, "cancel_alarm": 202, "acknowledge_alarm": 202,
              "get_campaign": 200, "update_campaign": 200, "get_progress": 200, "get_results": 200,
              "list_dnc_numbers": 200}
    assert [name for name, status in worked.items() if status not in fuzz.statuses[name]] == []
    assert [name for name, seen in fuzz.statuses.items() if not any(400 <= it < 500 for it in seen)] == []
