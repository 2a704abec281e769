"""Three phones ring at once; the first who presses 1 talks, the others are let go without a missed call."""

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_the_first_accept_wins(town):
    hotline = await town.hotline(agents=3)
    caller = await town.calls()
    await caller.answered()
    rung = [await town.phone(n).rung() for n in (1, 2, 3)]
    assert max(call.at for call in rung) - min(call.at for call in rung) < 0.1
    assert max(call.at for call in rung) - caller.invited_at < 0.3
    assert [town.phone(n).call.caller for n in (1, 2, 3)] == [hotline.number.removeprefix("+")] * 3

    await town.accepts(2)
    assert (await town.phone(1).cancelled()).cause == 26
    assert (await town.phone(3).cancelled()).cause == 26
    await they_talk(caller, town.phone(2).call)

    caller.hang_up()
    await town.phone(2).ended(timeout_s=1)
    await ends(
        town, "answered",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", "agentCalled 3", "agentAnswered 2", "agentAccepted 2",
            ("bridged 2", "agentCancelled 1", "agentCancelled 3"), "callerHangup",
        ],
        legs=["caller answered 16", "phone 1 cancelled 26", "phone 2 answered 16", "phone 3 cancelled 26"],
    )
