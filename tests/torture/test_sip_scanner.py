"""A scanner as every public SIP port meets it, and RFC 4475's messages, while a hotline takes calls."""

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path

import pytest

from engine.runtime.ports import Address
from tests.acceptance.endings import nobody_else_was_rung
from tests.acceptance.town import Town
from tests.torture.rfc4475 import MESSAGES
from tests.torture.test_sip_toll_fraud import placed
from tests.torture.wire import Wire

RATE = 150.0
STRANGER = "127.0.0.2"
AGENTS = (b"friendly-scanner", b"sipcli/v1.8", b"VaxSIPUserAgent/3.1", b"sipvicious", b"pplsip", b"Cisco", b"")
USERS = ("100", "101", "1000", "admin", "9011442037691111", "0049900123456", "trunk", "s", "ringward", "p1",
         "*98", "+1900555")
LATEST_ANSWER_S = 1.0       # of a caller's INVITE to 200, and of the agent's phone, on a busy machine
EACH_S = 1.5


async def scans(wire: Wire, seconds: float, hotline: str, torture: bool) -> int:
    """150 requests a second: OPTIONS, REGISTER with and without credentials, INVITE; between them RFC 4475's."""
    sip, began, sent = wire.switch, time.monotonic(), 0
    odd = itertools.cycle(MESSAGES.values())
    for n in itertools.count():
        if n / RATE > seconds:
            return sent
        await asyncio.sleep(max(0.0, began + n / RATE - time.monotonic()))
        user = hotline if n % 7 == 0 else USERS[n % len(USERS)]
        uri = f"sip:{user}@{sip[0]}:{sip[1]}".encode()
        changes: dict[str, bytes | None] = {"User-Agent": AGENTS[n % len(AGENTS)]}
        if torture and n % 3 == 0:
            wire.send(next(odd))
        elif n % 3 == 1:
            digest = (f'Digest username="{user}", realm="asterisk", nonce="1/x", uri="{uri.decode()}", '
                      f'response="{"0" * 32}", algorithm=MD5').encode()
            wire.request("REGISTER", uri, {**changes, "Expires": b"60", **({"Authorization": digest} if n % 2 else {})})
        elif n % 3 == 2:
            changes["From"] = f'"{user}" <sip:{user}@1.1.1.1>;tag=x{n}'.encode()
            wire.request("INVITE", uri, changes, wire.offer())
        else:
            wire.request("OPTIONS", uri, changes)
        sent += 1
    raise AssertionError


async def serves(town: Town, tally, until: float) -> list[float]:
    """One caller after the other talks to the agent, one at least; how long each INVITE took to its answer and to the
    agent's phone."""
    took = []
    for nth in itertools.count(len(town.phone(1).calls) + 1):
        if took and time.monotonic() > until:
            return took
        began = time.monotonic()
        caller = await town.calls()
        tally.calls += 1
        assert await caller.final() == 200
        took.append(time.monotonic() - began)
        await town.phone(1).rung(times=nth)
        took.append(town.phone(1).call.invited_at - began)
        town.phone(1).answer()
        await town.phone(1).heard(0.2)
        town.phone(1).press("1")
        await town.has_entry("bridged", -1)
        assert caller.talking
        caller.hang_up()
        await town.phone(1).ended(times=nth)
        assert await town.outcome() == "answered"
        await asyncio.sleep(max(0.0, began + EACH_S - time.monotonic()))
    raise AssertionError


@pytest.mark.parametrize("seconds", [4.0, pytest.param(30.0, marks=pytest.mark.full)])
async def test_a_scanner_gets_nothing_and_disturbs_nobody(town, tally, seconds):
    hotline = await town.hotline(agents=1)
    sip, pid, before = Address.parse(town.asterisk.sip), town.asterisk.process.pid, placed(town)
    await serves(town, tally, 0)
    await town.no_channels()    # an agent's leg goes on for a moment after the talk, as one more call
    each = placed(town) - before
    log = Path(town.asterisk.home.path) / "log" / "asterisk.log"
    size = log.stat().st_size
    async with Wire.open((sip.host, sip.port), STRANGER) as stranger, asyncio.TaskGroup() as tasks:
        scan = tasks.create_task(scans(stranger, seconds, hotline.number[1:], torture=True))
        calls = tasks.create_task(serves(town, tally, time.monotonic() + seconds))
    tally.faults += scan.result()
    took = calls.result()
    print(f"answers and phones after {[round(one * 1000) for one in took]} ms; {stranger.statuses()}")
    assert max(took) <= LATEST_ANSWER_S
    answered = Counter({status: n for status, n in stranger.statuses().items() if status < 300 and status != 100})
    assert not answered, answered
    assert not stranger.requests, "nothing was asked of the stranger"
    await town.no_channels()
    assert placed(town) - before == each * tally.calls, "the stranger had no channel"
    assert "No objects found" in town.asterisk_cli("pjsip show contacts")
    assert town.asterisk.process.poll() is None and town.asterisk.process.pid == pid
    assert log.stat().st_size - size < 2_000, log.read_text()[-3000:]
    await nobody_else_was_rung(town)


async def test_the_trunk_may_send_every_torture_message(town, tally):
    """From the one address that is trusted: none is a call to anybody, none is the end of Asterisk, the next caller is
    served. Those that ask for numbers of example.com find no hotline."""
    await town.hotline(agents=1)
    sip, pid = Address.parse(town.asterisk.sip), town.asterisk.process.pid
    uri = f"sip:nobody@{sip.host}:{sip.port}".encode()
    async with Wire.open((sip.host, sip.port)) as wire:
        for name, message in MESSAGES.items():
            for text in (message, message.replace(b"user@example.com", f"{town.hotlines[0].number}@h".encode())[:-1]):
                wire.send(text)
                tally.faults += 1
            assert (await wire.final(wire.request("OPTIONS", uri))).status, f"it answers after {name}"
    assert not [reply for reply in wire.replies if reply.status in (200, 202) and "REGISTER" in reply.header("CSeq")]
    caller = await town.calls()
    tally.calls += 1
    assert await caller.final() == 200
    caller.hang_up()
    assert town.asterisk.process.poll() is None and town.asterisk.process.pid == pid
    await town.no_channels()
    assert await town.outcome() == "callerHangup"
    assert not town.carrier.unknown
