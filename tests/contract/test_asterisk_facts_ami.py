"""Facts of the AMI itself: lines, filters, start, clocks, and why one encoder stands before it."""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from tests.contract.conftest import Bench, a_bench
from tests.contract.private_asterisk import MANAGER, Ami, PrivateAsterisk


@pytest.mark.parametrize(("length", "passes"), [(1000, True), (1020, True), (1024, False), (2000, False)])
async def test_a_line_over_1024_bytes_kills_its_action(bench: Bench, length: int, passes: bool) -> None:
    value = "a" * (length - len("Value: "))
    answer = await bench.ami.ask(Action="Setvar", Variable="LONG", Value=value)
    assert (answer["Response"] == "Success") is passes
    assert passes or "too long" in answer["Message"]


async def test_a_comma_in_an_originates_variable_starts_another_assignment(bench: Bench) -> None:
    """The rule that follows: no text from users ever reaches the switch, and one encoder sees to it."""
    leg = await bench.agent(FIRST="1,SECOND=2")
    assert await bench.ami.var(leg, "FIRST") == "1"
    assert await bench.ami.var(leg, "SECOND") == "2"


async def test_a_functions_name_in_an_originates_variable_is_a_write(bench: Bench) -> None:
    leg = await bench.agent(**{"SHARED(MARK)": "written"})
    assert await bench.ami.var(leg, "SHARED(MARK)") == "written"


async def test_a_bare_line_feed_ends_a_header(bench: Bench) -> None:
    await bench.ami.ask(Action="Setvar", Variable="FED", Value="a\nVariable: FED2")
    assert await bench.ami.var("", "FED") != "a\nVariable: FED2"


async def test_only_the_events_of_the_filter_come_and_lists_come_all_the_same(bench: Bench) -> None:
    caller, _, dialog = await bench.caller("music")
    await bench.agent()
    assert caller in await bench.ami.channels()
    bench.peer.hang_up(dialog)
    await bench.gone(caller)
    names = {m["Event"] for m in bench.ami.seen if "Event" in m}
    assert names <= {"FullyBooted", "UserEvent", "Hangup", "OriginateResponse", "CoreShowChannel",
                     "CoreShowChannelsComplete"}


async def test_every_event_and_the_pong_carry_the_switchs_time(bench: Bench) -> None:
    leg, _, dialog = await bench.caller()
    bench.peer.cancel(dialog)
    await bench.gone(leg)
    pong = await bench.ami.ask(Action="Ping")
    stamps = [float(m["Timestamp"]) for m in bench.ami.seen if m.get("Event") in ("UserEvent", "Hangup")]
    assert stamps == sorted(stamps) and stamps[-1] <= float(pong["Timestamp"])
    assert abs(float(pong["Timestamp"]) - time.time()) < 1


async def test_a_global_variable_tells_a_restarted_asterisk(mortal_asterisk: PrivateAsterisk) -> None:
    """CoreStartupTime and FullyBooted's Uptime are whole seconds; a variable of ours is exact."""
    await mortal_asterisk.start()
    async with a_bench(mortal_asterisk) as bench:
        leg, _, _ = await bench.caller("music")
        await bench.ami.ask(Action="Setvar", Variable="MARK", Value="1")
        first = await bench.ami.ask(Action="CoreStatus")
        assert {"CoreStartupDate", "CoreStartupTime"} <= first.keys()
        mortal_asterisk.kill()
    began = time.monotonic()
    await mortal_asterisk.start()
    assert time.monotonic() - began < 5
    async with a_bench(mortal_asterisk) as bench:
        assert await bench.ami.var("", "MARK") == ""
        assert leg not in await bench.ami.channels()


async def test_few_modules_are_small(facts_asterisk: PrivateAsterisk, bench: Bench) -> None:
    assert facts_asterisk.process
    assert psutil.Process(facts_asterisk.process.pid).memory_info().rss < 150e6


async def test_a_reader_that_stalls_is_dropped(bench: Bench, facts_asterisk: PrivateAsterisk) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", facts_asterisk.ami_port, limit=1 << 12)
    writer.write(b"Action: Login\r\nUsername: all\r\nSecret: s\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()      # it stops reading here
    async with facts_asterisk.ami("all") as flood:
        filler = "x" * 900
        for _ in range(12):
            for _ in range(1000):
                flood.send([("Action", "UserEvent"), ("UserEvent", "Flood"), *((f"H{i}", filler) for i in range(2))])
            await flood.ask(Action="Ping")
            flood.seen.clear()
    assert (await bench.ami.ask(Action="Ping"))["Response"] == "Success"
    writer.transport.resume_reading()
    try:
        async with facts_asterisk.ami("all") as waker, asyncio.timeout(40):
            got = await _read_to_the_end(reader, waker)
    finally:
        writer.transport.abort()
    assert got < 12 * 1000 * 1800


async def _read_to_the_end(reader: asyncio.StreamReader, waker: Ami) -> int:
    """How many bytes came. A session that Asterisk has given up is closed when the next event wakes it."""
    got = 0
    while True:
        try:
            async with asyncio.timeout(1):
                data = await reader.read(1 << 16)
        except TimeoutError:
            await waker.ask(Action="UserEvent", UserEvent="Wake")
            continue
        except ConnectionError:
            return got
        if not data:
            return got
        got += len(data)


async def test_an_old_style_filter_silences_everything(asterisk_program: object, tmp_path: Path) -> None:
    """The syntax of 22: `eventfilter(name(X)) =`. The same words as a value are a pattern that no event matches."""
    old = MANAGER
    for name in ("UserEvent", "Hangup", "OriginateResponse", "FullyBooted"):
        old = old.replace(f"eventfilter(action(include),name({name})) =", f"eventfilter=name({name})")
    program = asterisk_program
    server = PrivateAsterisk(program.program.argv, program.data, program.modules, tmp_path,  # type: ignore[attr-defined]
                             Path(__file__).with_name("facts.conf").read_text(), manager=old)
    try:
        await server.start("all")
        async with a_bench(server) as bench:
            await bench.peer.call("4930", server.sip)
            async with server.ami("all") as other:
                for _ in range(300):
                    if await other.channels():
                        break
                    await asyncio.sleep(0.01)
                assert await other.channels()
            await bench.ami.ask(Action="Ping")
            assert {m["Event"] for m in bench.ami.seen if "Event" in m} <= {"FullyBooted"}
    finally:
        server.kill()


async def test_over_500_tasks_of_the_sip_distributors_are_too_many(bench: Bench) -> None:
    """Above its high-water mark Asterisk ignores new INVITEs: pacing must leave head-room."""
    shown = await asyncio.to_thread(bench.asterisk.console, "core show taskprocessors like pjsip/distributor")
    marks = [int(line.split()[5]) for line in shown.splitlines() if line.startswith("pjsip/distributor")]
    assert marks and set(marks) == {500}
