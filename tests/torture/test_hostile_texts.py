"""Any text in every field of every API, and composed ones also beside the bodies, on the real Asterisk, while calls use
what was let in: no file is made, no row of the switch's database, no global variable; the dialplan stays as it was; and
every byte that the engine says on AMI is of a grammar that has no place for text.
"""

import asyncio
import random
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st

from engine.softphone import Behaviour, Carrier
from tests.acceptance.alarm_town import Muster
from tests.acceptance.campaign_town import Fair
from tests.acceptance.town import Town, agent_number
from tests.torture.ami_grammar import actions, unexpected
from tests.torture.hostile_estate import Estate
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.hostile_spots import Spot, spots, tried
from tests.torture.hostile_texts import MEGABYTE, NUMBERS, Place, attacks, spoken, texts, told, with_text
from tests.torture.raw_requests import RawClient
from tests.torture.report import Tally
from tests.torture.siege import Siege

LOG_IN, TOLD = "/login", "providers.told"
LONG = pytest.mark.timeout(600)


# --- every field

def _tried(estate: Estate) -> list[tuple[Route, Place]]:
    """Every place of every body, but of log-ins: those are limited, and in hostile_spots.py."""
    return [(route, place) for route in all_routes() if (body := estate.body(route)) and not route.path.endswith(LOG_IN)
            and route.path != "/authenticate" for place in attacks(body)]


async def _try(estate: Estate, route: Route, place: Place, text: str) -> int:
    body = with_text(estate.body(route), place, text)
    got = await estate.ask(route, body=body)
    assert got.status < 500, (route.name, told(place), text[:100], got)
    return got.status


@LONG
async def test_no_text_in_any_field_becomes_anything_else(
        siege: Siege, rng: random.Random, tally: Tally, request: pytest.FixtureRequest) -> None:
    """Short: each field with one text; whole: each with all of them."""
    estate = await Estate.built(siege.muster.session, siege.muster.url, siege.muster.town.database,
                                 has_engine=True)
    evil = texts(siege.canary)
    is_whole = request.config.option.torture
    taken = 0
    for route, place in _tried(estate):
        for text in evil if is_whole else rng.sample(evil, 1):
            if text is MEGABYTE and is_whole and rng.random() > 0.1:
                continue
            taken += await _try(estate, route, place, text) < 300
            tally.faults += 1
    assert taken > 50, "hardly a text was let in: nothing was tried"
    await siege.holds()


@LONG
async def test_no_composed_text_either(
        siege: Siege, seed: int, tally: Tally, request: pytest.FixtureRequest) -> None:
    """By hypothesis: texts of its own, ours put together, and numbers; in bodies, and in paths, headers and log-ins."""
    estate = await Estate.built(siege.muster.session, siege.muster.url, siege.muster.town.database,
                                 has_engine=True)
    loop, client, others = asyncio.get_running_loop(), RawClient.to(siege.muster.url), spots(estate)
    anywhere = [st.sampled_from(_tried(estate)), *(
        st.sampled_from([it for it in others if it.kind == kind]) for kind in ("path", "header", "login"))]
    ours = st.sampled_from([it for it in texts(siege.canary) if it is not MEGABYTE])
    any_text = st.one_of(st.text(st.characters(codec=None), max_size=80), st.lists(ours, max_size=3).map("".join), ours,
                         st.sampled_from(NUMBERS))

    @hypothesis_seed(seed)
    @settings(max_examples=6000 if request.config.option.torture else 250, deadline=None, database=None,
              phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))
    @given(where=st.one_of(anywhere), text=any_text)
    def one(where: tuple[Route, Place] | Spot, text: str) -> None:
        trying = tried(client, estate, where, text) if isinstance(where, Spot) else _try(estate, *where, text)
        asyncio.run_coroutine_threadsafe(trying, loop).result(40)
        tally.faults += 1

    await asyncio.to_thread(one)
    await siege.holds()


# --- calls that use what was let in

async def test_calls_that_use_hostile_texts(siege: Siege, tally: Tally) -> None:
    """A hotline, an alarm and a campaign whose names, greetings, messages, people and steps are hostile."""
    muster, evil = siege.muster, spoken(siege.canary)
    town, fair = muster.town, Fair(muster)
    await fair.opens(3)
    await town.hotline(agents=[1], greeting=evil[:300])
    await town.database.execute("UPDATE hotlines SET name = $1", evil[:100])
    caller = await town.calls()
    await town.accepts(1)
    await town.has_entry("bridged")
    caller.hang_up()
    await town.no_channels()

    plain = evil.replace("{", "(").replace("}", ")")
    posted = await muster.post("/alarms", muster.order([], message={"de": "{place}, {name}"}, fields={"place": plain},
                               closing={"de": plain}, recipients=[
                                   {"phone": f"+{agent_number(2)}", "name": plain[:200], "role": plain[:50]}]))
    await muster.acknowledges(2)
    await town.until(lambda: _is(muster, f"/alarms/{posted['id']}", "acknowledged"), "it is acknowledged")

    await fair.post(f"/contacts/{fair.contacts[3]}", {
        "first_name": evil[:64], "last_name": "[result:a]{first_name}", "custom1": evil[:128],
        "description": evil[:255]}, method="PUT")
    ivr = await fair.program("ivr", ivr_scheme={
        "0": {"type": "say", "data": {"text": f"{{first_name}} [contact:custom1] {evil}"}, "links": {"": 1}},
        "1": {"type": "disconnect"}})
    town.phone(3).behaviour = Behaviour.answers(0.05)
    campaign = await fair.campaign(people=[3], program=ivr, optOutKey="")
    await campaign.start()
    await campaign.is_("completed")
    tally.calls += sum(fair.rung().values()) + 1
    said = actions(siege.said())
    assert said["originate"] >= 3 and said["bridge"] >= 1 and said["redirect"] >= 1, said
    await siege.holds()


async def _is(muster: Muster, path: str, state: str) -> bool:
    return bool((await muster.get(path))["state"] == state)


async def test_calls_by_a_hostile_provider(siege: Siege, tally: Tally) -> None:
    """User name and password are what reaches the switch's configuration."""
    town, fair = siege.muster.town, Fair(siege.muster)
    await fair.opens(1)
    await town.hotline(agents=[1])
    evil = f"${{SHELL(touch {siege.canary.file})}}&PJSIP/x|GLOBAL({siege.canary.mark})=1"
    before = town.engine.log_path.read_text().count(TOLD)
    async with Carrier("127.0.0.2") as carrier:
        host, port = carrier.address
        there = carrier.phone(agent_number(1))
        made = await fair.post("/providers", {
            "name": evil[:128], "host": host, "port": port, "username": evil[:128], "password": evil[:128],
            "dialstring": evil[:255], "settings": evil, "description": evil[:255]})
        try:
            await town.until(lambda: _has_told(town, before), "the engine has told the switch")
            caller = await town.calls()
            await there.rung()
            caller.hang_up()
            await there.ended()
            tally.calls += 2
            assert re.search(rb"Channel: PJSIP/p%d\.[0-9a-f]{8}/sip:" % made["provider_id"], siege.said())
            assert unexpected(siege.said()) == [] and not siege.canary.file.exists()
            for shown in ("dialplan show globals", "database show rwc"):
                assert siege.canary.mark not in await asyncio.to_thread(town.asterisk_cli, shown)
        finally:
            before = town.engine.log_path.read_text().count(TOLD)
            await fair.post(f"/providers/{made['provider_id']}", method="DELETE")
            await town.until(lambda: _has_told(town, before), "the switch has forgotten it")


async def _has_told(town: Town, before: int) -> bool:
    return town.engine.log_path.read_text().count(TOLD) > before


def test_the_grammar_itself_refuses_what_is_not_ours() -> None:
    fine = b"Action: Hangup\r\nActionID: end:1.1:16\r\nChannel: 1.1\r\nCause: 16\r\n\r\n"
    assert unexpected(fine) == []
    for evil in (fine.replace(b"16\r\n\r\n", b"16\nVariable: x\r\n\r\n"), fine.replace(b"Hangup", b"Command"),
                 fine.replace(b"Cause: 16", b"Variable: DB(a/b)=1"), b"Action: Originate\r\n\r\n",
                 fine.replace(b"Channel: 1.1", b"Channel: PJSIP/x&y")):
        assert unexpected(evil), evil
