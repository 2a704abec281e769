"""Nobody makes the switch dial out: no callee by a 302, no party of a talk by REFER, no caller, no stranger."""

import re

import pytest

from engine.runtime.ports import Address
from tests.acceptance.endings import nobody_else_was_rung
from tests.acceptance.town import Town
from tests.acceptance.voices import they_talk
from tests.torture.wire import Wire

PREMIUM = "49900123456"
# what Asterisk would take for a channel of its own to be dialled, a context, another hotline's caller
MOVED = ("sip:{premium}@{trunk}", "sip:PJSIP%2Ftrunk%2Fsip%3A{premium}%40{escaped}@{trunk}",
         "sip:Local%2F{premium}%40rw-leg@{trunk}", "sip:{hotline}@{trunk}", "tel:+{premium}",
         "sip:Local%2Fs%40rw-put%2Fn@{trunk}", "sip:s%40rw-idle@{trunk}")


def contacts(town: Town) -> list[str]:
    trunk = f"{town.carrier.address[0]}:{town.carrier.address[1]}"
    names = {"premium": PREMIUM, "trunk": trunk, "escaped": trunk.replace(":", "%3A"),
             "hotline": town.hotlines[0].number[1:]}
    return [f"<{form.format(**names)}>" for form in MOVED]


@pytest.mark.parametrize("nth", range(len(MOVED)))
async def test_a_phone_that_answers_moved_is_a_phone_that_failed(town, tally, nth):
    await town.hotline(agents=2)
    town.carrier.phone(PREMIUM)
    tally.calls += 1
    caller = await town.calls()
    for n in (1, 2):
        await town.phone(n).rung()
    tally.faults += 1
    town.phone(1).call.reject(302, contacts(town)[nth])
    await town.until(lambda: failed(town), "phone 1 has failed")
    await town.accepts(2)
    await they_talk(caller, town.phone(2).call)
    assert town.channels() == 2
    caller.hang_up()
    await town.phone(2).ended()
    assert await town.outcome() == "answered"
    await nobody_else_was_rung(town)


async def test_nor_does_the_fallback_follow_it(town, tally):
    await town.hotline(agents=2)
    town.engine.kill()
    town.carrier.phone(PREMIUM)
    moved = contacts(town)
    caller = await town.calls()
    await caller.answered()
    tally.calls += 1
    for times, contact in enumerate(moved[:2], 1):
        await town.phone(1).rung(times=times)
        town.phone(1).call.reject(302, contact)
        if times == 1:
            await town.phone(2).rung()
            town.phone(2).reject(486)
        tally.faults += 1
    await town.accepts(2, times=2)
    await they_talk(caller, town.phone(2).call)
    assert not town.carrier.phones[PREMIUM].calls and not town.carrier.unknown
    caller.hang_up()
    await town.phone(2).ended(times=2)


async def test_who_transfers_a_talk_is_refused_and_the_talk_goes_on(town, tally):
    await town.hotline(agents=1)
    town.carrier.phone(PREMIUM)
    caller = await town.calls()
    tally.calls += 1
    await town.accepts(1)
    agent = town.phone(1).call
    await they_talk(caller, agent)
    to = f"<sip:{PREMIUM}@{town.carrier.address[0]}:{town.carrier.address[1]}>"
    for call in (agent, caller):
        for header in (to, f"{to[:-1]}?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"):
            status = await call.asks("REFER", {"Refer-To": header, "Referred-By": to})
            assert status in range(400, 600), status
            tally.faults += 1
    await they_talk(caller, agent)
    caller.hang_up()
    await agent.ended()
    await town.outcome()
    await nobody_else_was_rung(town)


async def test_only_hotlines_can_be_called(town, tally):
    """By the trunk: no other number, however it is written, whatever Diversion or Replaces say. By others: nothing."""
    await town.hotline(agents=1)
    sip = Address.parse(town.asterisk.sip)
    extra = {"Diversion": f"<sip:{PREMIUM}@127.0.0.1>;reason=unconditional".encode(),
             "History-Info": f"<sip:{PREMIUM}@127.0.0.1>;index=1".encode(),
             "Refer-To": f"<sip:{PREMIUM}@127.0.0.1>".encode(), "Replaces": b"1@h;to-tag=1;from-tag=2"}
    before = placed(town)
    for host, wanted in (("127.0.0.1", {404}), ("127.0.0.2", {401})):
        async with Wire.open((sip.host, sip.port), host) as wire:
            for user in (PREMIUM, f"00{PREMIUM}", f"+{PREMIUM}", f"Local/{PREMIUM}@rw-leg", f"{PREMIUM}@rw-leg", "s"):
                uri = f"sip:{user.replace('/', '%2F').replace('@', '%40')}@{sip.host}:{sip.port}".encode()
                reply = await wire.final(wire.request("INVITE", uri, dict(extra), wire.offer()))
                wire.acknowledge(reply, uri)
                assert reply.status in wanted, (host, user, reply.status)
                tally.faults += 1
            for method in ("REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "REFER", "NOTIFY", "PRACK", "UPDATE", "INFO"):
                uri = f"sip:{sip.host}:{sip.port}".encode()
                changes = {"Event": b"presence", "Refer-To": extra["Refer-To"], "Expires": b"60"}
                assert (await wire.final(wire.request(method, uri, changes))).status >= 300, (host, method)
                tally.faults += 1
    assert placed(town) - before <= 3, "only the three that were digits became channels"
    assert "No objects found" in town.asterisk_cli("pjsip show contacts")
    await town.no_channels()
    await nobody_else_was_rung(town)


async def failed(town: Town) -> bool:
    """A 302 is a failure at once, or by its timeout when Asterisk has followed it to where there is nothing."""
    return any(entry in ("agentFailed", "agentNoAnswer", "agentRejected") for entry in await town.entries())


def placed(town: Town) -> int:
    """How many calls the switch has processed since its start."""
    found = re.search(r"(\d+) calls? processed", town.asterisk_cli("core show channels count"))
    assert found
    return int(found[1])
