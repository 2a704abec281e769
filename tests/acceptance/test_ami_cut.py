"""The connection to the switch breaks: calls go on, and what happened meanwhile is found out."""

import re


def cut_ami(town):
    """Asterisk throws the engine's session out."""
    shown = town.asterisk_cli("manager show connected")
    sessions = re.findall(r"^\s+ringward\s+\S+\s+\d+\s+\d+\s+(\d+)", shown, re.MULTILINE)
    assert sessions, shown
    for session in sessions:
        town.asterisk_cli(f"manager kick session {session}")


async def test_a_ringing_call_survives(town):
    await town.hotline(agents=2)
    caller = await town.calls()
    await town.phone(1).rung()
    cut_ami(town)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.has_entry("bridged")
    assert (await town.phone(2).cancelled()).cause == 26
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert not await town.is_fallback()
    assert len(town.phone(1).calls) == len(town.phone(2).calls) == 1


async def test_a_hang_up_that_nobody_heard_of_is_found(town):
    await town.hotline(agents=1)
    caller = await town.calls()
    await town.phone(1).rung()
    town.engine.stop()
    cut_ami(town)
    caller.hang_up()
    await caller.ended()
    town.engine.go_on()
    await town.phone(1).cancelled()
    assert await town.outcome() == "callerHangup"
