"""The main story with phones of another make (baresip) at either end, in case it only works with our own."""

from engine.softphone.listening import correlation
from tests.acceptance.baresip_phone import baresip_phone
from tests.acceptance.conftest import free_port
from tests.acceptance.town import CALLER, agent_number
from tests.acceptance.voices import AGENTS, CALLERS


async def test_an_agent_on_another_stack_accepts_and_talks(quick_asterisk, open_town):
    address = f"127.0.0.1:{free_port()}"
    town = await open_town(quick_asterisk, trunk=address)  # the engine dials there; the caller comes from the carrier
    await town.hotline(agents=1)
    async with baresip_phone(agent_number(1), address, AGENTS) as phone:
        caller = await town.calls(audio=CALLERS, loop_audio=True)
        call = await phone.answer()
        await phone.talk(call, 0.4)
        await call.send_dtmf("1")
        await phone.talk(call, 1.5)
        assert correlation(CALLERS, phone.heard) >= 0.8
        assert correlation(AGENTS, phone.heard) <= 0.3
        assert correlation(AGENTS, caller.received) >= 0.8
        await call.hangup()
        await caller.ended()
    assert await town.outcome() == "answered"


async def test_a_caller_on_another_stack_hears_the_agent(town):
    hotline = await town.hotline(agents=1)
    async with baresip_phone(CALLER, f"127.0.0.1:{free_port()}", CALLERS) as caller:
        call = await caller.dial(hotline.number.removeprefix("+"), town.asterisk.sip)
        await town.accepts(1)
        agent = town.phone(1).call
        assert agent.caller == hotline.number.removeprefix("+")
        agent.play(AGENTS, loop=True)
        await caller.talk(call, 1.5)
        assert correlation(AGENTS, caller.heard) >= 0.8
        assert correlation(CALLERS, caller.heard) <= 0.3
        assert correlation(CALLERS, agent.received) >= 0.8
        await call.hangup()
        await agent.ended()
    assert await town.outcome() == "answered"
