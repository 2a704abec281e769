"""`ringward demo`: start a system of its own, make a call, an alarm and a campaign on it, tell what happens, judge it,
clean up."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import DEFAULT_HOME, Json, console, errors

if TYPE_CHECKING:  # the command line must start quickly for those who run something else
    import aiohttp

    from engine.demo.alarm import AlarmTold
    from engine.demo.campaign import CampaignTold
    from engine.demo.company import Company
    from engine.demo.conversation import Told
    from engine.demo.report import Story
    from engine.demo.system import System
    from engine.softphone import Carrier


def demo_command(
    home: Annotated[Path, typer.Option("--home", envvar="RINGWARD_HOME", metavar="DIR",
                                       help="The WAV goes here; the system has a private home.")] = DEFAULT_HOME,
    against: Annotated[Path | None, typer.Option("--against", hidden=True, metavar="DIR",
                                                 help="Use the system that runs in this home.")] = None,
    as_json: Json = False,
) -> None:
    """Start a system of its own, make a real call, an alarm and a campaign on it, and say whether all of it worked."""
    from engine.demo.report import Stopwatch, Story, summary
    from engine.demo.report import as_json as document
    from engine.softphone.audio import write_wav

    watch, story = Stopwatch(), Story()
    with errors(as_json):
        asyncio.run(_demonstrate(story, against))
        wav = ""
        if story.call.call is not None:
            home.mkdir(parents=True, exist_ok=True)
            write_wav(home / "demo.wav", story.call.call.received)
            wav = str(home / "demo.wav")
    console.print(summary(story, watch.seconds, wav), style="bold green" if story.passed else "bold red")
    if as_json:
        print(json.dumps(document(story, watch.seconds, wav), ensure_ascii=False))
    raise typer.Exit(0 if story.passed else 1)


async def _demonstrate(story: "Story", against: Path | None) -> None:
    import aiohttp

    from engine.demo.checks import DemoFailed
    from engine.demo.company import active, found
    from engine.settings import Settings

    async with _stage(against) as (carrier, system), aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=10)) as session:
        with console.status("making an organisation, its users, phones and a hotline …"):
            company = await found(session, system)
            console.print(f"organisation {company.organisation_id}, hotline {company.hotline_id}: +{company.number}")
        with console.status("waiting until the hotline is active: its texts are being spoken …"):
            if (status := await active(company)) != "active":
                raise DemoFailed(f"the hotline did not become active, its status is {status!r}")
        sounds = Settings(home=system.home).sounds_dir or system.home / "sounds"
        await _hold_a_call(carrier, company, sounds, story.call)
        await _raise_an_alarm(carrier, system, company, sounds, story.alarm)
        await _run_a_campaign(session, carrier, system, company, sounds, story.campaign)


async def _hold_a_call(carrier: "Carrier", company: "Company", sounds: Path, told: "Told") -> None:
    from engine.demo.conversation import CALLER, Conversation
    from engine.demo.report import Timeline, show

    names = {CALLER: "caller", **{agent.number: agent.name for agent in company.agents}}
    timeline = Timeline(console, carrier.journal, names)
    conversation = Conversation(carrier, company, sounds, told)
    await conversation.hold()
    with console.status("reading log and records …"):
        await conversation.look_back()
    timeline.close()
    show(console, told)


async def _raise_an_alarm(
    carrier: "Carrier", system: "System", company: "Company", sounds: Path, told: "AlarmTold",
) -> None:
    from engine.demo.alarm import AlarmScene
    from engine.demo.board import Board
    from engine.demo.report import show_alarm

    with Board(console) as board:
        await AlarmScene(carrier, system, company, sounds, board, told).play()
    console.print()
    show_alarm(console, told)


async def _run_a_campaign(
    session: "aiohttp.ClientSession", carrier: "Carrier", system: "System", company: "Company", sounds: Path,
    told: "CampaignTold",
) -> None:
    from engine.demo.campaign import CampaignScene
    from engine.demo.report import show_campaign

    await CampaignScene(carrier, system, company, sounds, told).play(session, console)
    console.print()
    show_campaign(console, told)


@asynccontextmanager
async def _stage(against: Path | None) -> "AsyncIterator[tuple[Carrier, System]]":
    """The carrier and the system, in the order in which one needs the other."""
    from engine.demo.system import running, started
    from engine.runtime.ports import Address
    from engine.softphone import Carrier

    if against is not None:
        system = running(against)
        async with Carrier(system.trunk.host, system.trunk.port, switch=(system.sip.host, system.sip.port)) as carrier:
            yield carrier, system
        return
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Carrier())
        with console.status("starting postgres, asterisk, engine and api …"):
            system = await stack.enter_async_context(started(Address(*carrier.address)))
        carrier.switch = system.sip.host, system.sip.port
        console.print(f"ready api={system.api} sip={system.sip} trunk={system.trunk}")
        yield carrier, system
