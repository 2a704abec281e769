"""The engine returns while two talk whom the dialplan brought together: it remembers the caller as one who waits."""

import pytest

from engine.softphone.audio import chirp
from engine.softphone.journal import NeverHappened

LEASE_S = 4


async def test_the_engines_return_does_not_cut_the_talk(town):
    await town.hotline(agents=1)
    caller = await town.calls(audio=chirp(1, 1.0), loop_audio=True)
    await town.phone(1).rung()
    town.engine.kill()
    await town.phone(1).rung(times=2)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(1).heard(1.5)
    town.engine.start()
    await town.engine_is_back()
    with pytest.raises(NeverHappened):
        await caller.ended(timeout_s=LEASE_S + 1)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    assert await town.outcome() == "answered"
