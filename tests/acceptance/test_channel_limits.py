"""A hotline never has more callers than `channelsInbound`, nor more agents' legs than `channelsOutbound`."""

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_one_caller_more_than_allowed_is_refused_as_busy(town):
    await town.hotline(agents=1, channels_inbound=1)
    first = await town.calls("4917011111")
    await town.phone(1).rung()
    second = await town.calls("4917022222")
    assert await second.final() == 486
    await ends(town, "busy", [], ["caller busy 17"], rung=False)

    first.hang_up()
    await town.phone(1).ended()
    await town.no_channels()
    third = await town.calls("4917033333")
    assert await third.final() == 200
    await town.phone(1).rung(times=2)
    third.hang_up()
    await town.phone(1).ended(times=2)
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])


async def test_so_many_phones_ring_at_once_and_the_next_when_one_fails(town):
    await town.hotline(agents=4, channels_outbound=2)
    caller = await town.calls()
    await town.phone(1).rung()
    await town.phone(2).rung()
    await caller.heard(0.5)
    assert not town.phone(3).calls
    town.phone(2).reject(486)
    await town.phone(3).rung(timeout_s=1)
    await caller.heard(caller.recording.sound_s + 0.5)
    assert not town.phone(4).calls
    town.phone(1).reject(603)
    await town.phone(4).rung(timeout_s=1)

    await town.accepts(3)
    await they_talk(caller, town.phone(3).call)
    caller.hang_up()
    await town.phone(3).ended(timeout_s=1)
    await ends(
        town, "answered",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", "agentBusy 2", "agentCalled 3", "agentRejected 1",
            "agentCalled 4", "agentAnswered 3", "agentAccepted 3", ("agentCancelled 4", "bridged 3"), "callerHangup",
        ],
        legs=["caller answered 16", "phone 1 rejected 21", "phone 2 busy 17", "phone 3 answered 16",
              "phone 4 cancelled 26"],
    )


async def test_a_talk_takes_one_of_the_outbound_channels_of_all_callers(town):
    await town.hotline(agents=2, channels_outbound=1)
    first = await town.calls("4917011111")
    await town.accepts(1)
    await they_talk(first, town.phone(1).call)
    second = await town.calls("4917022222")
    await second.heard(1.5)
    assert not town.phone(2).calls

    town.phone(1).hang_up()
    await first.ended(timeout_s=1)
    await town.phone(1).rung(times=2)
    second.hang_up()
    await town.phone(1).ended(times=2)
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])
