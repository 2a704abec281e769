"""Two engines on one switch: the owner stands still, the other takes over, and the first, awake again, goes."""

import asyncio

from engine.runtime.child import exited
from tests.acceptance.town import EngineProcess
from tests.acceptance.voices import they_talk

FENCED_OUT = 3


async def test_an_engine_that_stood_still_too_long_is_replaced_and_does_no_harm(town, tmp_path):
    await town.hotline(agents=2)
    talking = await town.calls()
    await town.accepts(1)
    await town.phone(2).cancelled()
    former = town.engine
    town.engine = EngineProcess(former.environment, tmp_path / "standby.log")
    town.engine.start()
    try:
        former.stop()
        await town.until(lambda: _is_owner(town), "the standby owns the switch", 25)
        await town.engine_is_back()
        waiting = await town.calls(caller="4917099999")
        await town.phone(2).rung(times=2)
        former.go_on()
        async with asyncio.timeout(10):
            assert await exited(former.process) == FENCED_OUT
        assert town.phone(2).call.ended_at is None
        await they_talk(talking, town.phone(1).call)
        await town.accepts(2, times=2)
        await they_talk(waiting, town.phone(2).call)
        for caller in (talking, waiting):
            caller.hang_up()
        assert [await town.outcome(0), await town.outcome(1)] == ["answered", "answered"]
        assert [await town.is_fallback(0), await town.is_fallback(1)] == [False, False]
    finally:
        former.close()


async def _is_owner(town):
    return await town.database.fetchval("SELECT pid FROM engines") == town.engine.pid
