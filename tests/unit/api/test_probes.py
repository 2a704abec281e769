"""Health, readiness and figures."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import run
from engine.settings import Settings
from engine.vocabulary.values import RingwardError
from tests.api_client import Client, Reply, Site

GOOD = {"switch": True, "speech": True, "taking_calls": True}


async def _root(site: Site, path: str) -> Reply:
    return await Client(site.api.session, site.url, {})("GET", path)


async def test_without_a_databases_address_the_api_does_not_start() -> None:
    with pytest.raises(RingwardError, match="DATABASE_URL"):
        await run(Settings(database_url=""))


async def test_health_needs_nothing(site: Site) -> None:
    got = await _root(site, "/healthz")
    assert (got.status, got.body) == (200, {"status": "ok"})


@pytest.mark.parametrize(("age_s", "state", "missing"), [
    (1, GOOD, set()), (11, GOOD, {"engine", "switch", "speech"}), (1, {**GOOD, "switch": False}, {"switch"}),
    (1, {**GOOD, "speech": False}, {"speech"}), (1, {}, {"switch", "speech"})])
async def test_ready_is_what_the_engine_says_while_its_heart_beats(
        site: Site, age_s: float, state: dict[str, bool], missing: set[str]) -> None:
    await site.world.beat(age_s, state)
    got = await _root(site, "/readyz")
    assert got.status == (503 if missing else 200)
    assert got.body == {name: name not in missing for name in ("switch", "database", "speech", "engine")}


async def test_without_an_engine_nothing_is_ready_but_the_database(site: Site) -> None:
    got = await _root(site, "/readyz")
    assert (got.status, got.body) == (503, {"switch": False, "database": True, "speech": False, "engine": False})


async def test_figures_are_ours_and_the_engines_and_tell_no_ids(site: Site) -> None:
    hotline = await site.org.hotline()
    await site.api("GET", f"/hotlines/{hotline.hotline_id}")
    await site.api("GET", "/nothing/0049301234")
    await site.world.beat(2, GOOD, '# TYPE ringward_calls gauge\nringward_calls{state="talk"} 3\n')
    async with site.api.session.get(site.url + "/metrics") as got:
        assert got.status == 200 and got.content_type == "text/plain"
        text = await got.text()
    samples = {(it.name, *sorted(it.labels.values())): it.value
               for family in text_string_to_metric_families(text) for it in family.samples}
    route = "/api/v1/first-responder/hotlines/{hotlineID}"
    assert samples["ringward_api_requests_total", *sorted(["GET", route, "200"])] == 1
    assert samples["ringward_api_request_seconds_count", *sorted(["GET", route])] == 1
    assert samples["ringward_calls", "talk"] == 3
    assert samples["ringward_api_engine_beat_age_seconds",] == 2
    assert "0049301234" not in text
