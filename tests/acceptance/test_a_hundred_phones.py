"""The largest hotline that the API allows: a hundred phones ring at once, whether an engine runs or not."""

import pytest

PHONES = range(1, 101)


@pytest.mark.parametrize("engine", ["runs", "is gone"])
async def test_a_hundred_phones_ring_and_one_agent_talks(town, engine):
    await town.hotline(agents=100, channels_outbound=100)
    if engine == "is gone":
        town.engine.kill()
    caller = await town.calls()
    for n in PHONES:
        await town.phone(n).rung(timeout_s=10)
    await town.accepts(57)
    for n in PHONES:
        if n != 57:
            await town.phone(n).cancelled(timeout_s=5)
    assert caller.talking and town.phone(57).call.talking
    caller.hang_up()
    await town.phone(57).ended(timeout_s=1)
    if engine == "is gone":
        town.engine.start()
    assert await town.outcome(timeout_s=10) == "answered"
    records = await town.records()
    assert sorted(records.values()) == ["answered"] * 2 + ["cancelled"] * 99
