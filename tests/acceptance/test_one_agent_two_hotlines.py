"""An agent of two hotlines: the phone has at most one call of ours at a time, whatever it could take."""

from engine.softphone import Behaviour
from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_a_phone_of_two_hotlines_is_rung_by_one_at_a_time(town):
    await town.hotline(agents=1)
    other = await town.hotline(agents=1)
    town.phone(1, Behaviour(lines=2))
    first = await town.calls("4917011111", hotline=0)
    await town.phone(1).rung()
    second = await town.calls("4917022222", hotline=1)
    await second.heard(1)
    assert len(town.phone(1).calls) == 1

    first.hang_up()
    await town.phone(1).cancelled()
    await town.phone(1).rung(times=2)
    assert town.phone(1).call.caller == other.number.removeprefix("+")
    await town.accepts(1, times=2)
    await they_talk(second, town.phone(1).call)
    third = await town.calls("4917033333", hotline=0)
    await third.heard(1)
    assert len(town.phone(1).calls) == 2

    third.hang_up()
    second.hang_up()
    await town.phone(1).ended(timeout_s=1, times=2)
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"], nth=0, rung=False)
    talk = ["callerConnected", "agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1", "callerHangup"]
    await ends(town, "answered", talk, ["caller answered 16", "phone 1 answered 16"], nth=1)
