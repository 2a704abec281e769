"""Asterisk dies in the middle: its calls are written down, and new ones are taken as soon as it is back."""

import time

from tests.acceptance.conftest import QUICK


async def test_calls_are_recorded_and_new_ones_taken(start_asterisk, open_town):
    asterisk = start_asterisk(**QUICK)
    town = await open_town(asterisk)
    await town.hotline(agents=2)
    caller = await town.calls()
    await town.phone(1).rung()
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    waiting = await town.calls(caller="4917099999")
    await waiting.answered()
    await town.phone(2).rung(times=2)
    asterisk.kill()
    asterisk.restart()
    back = time.monotonic()
    assert await town.outcome(0) == "answered"
    assert await town.outcome(1) == "callerHangup"
    for call in (caller, waiting, town.phone(1).call):
        call.forget()
    again = await town.calls(caller="4917088888")
    await again.answered()
    await town.phone(2).rung(times=3)
    assert time.monotonic() - back < 5
    again.hang_up()
    assert await town.outcome(2) == "callerHangup"
