"""An engine is killed at every boundary of a call, a new one takes over: nobody is lost, nothing happens twice."""

import pytest

from tests.crash.hotline_stories import DEAD_S, SCRIPTS, Script, hotline_of, tell, wrong
from tests.crash.memory_stores import MemoryStores
from tests.crash.mortal_engine import NEVER
from tests.crash.town import Town
from tests.directories import world


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
async def test_killed_at_every_boundary_nobody_is_lost_and_nothing_happens_twice(
    script: Script, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(None) as directory:
        hotline = await hotline_of(directory)

        async def stores_of(town: Town) -> MemoryStores:
            return MemoryStores(town, directory.hotlines)

        whole = await tell(script, hotline, stores_of, NEVER, 0)
        assert wrong(whole, script, whole.town.rung()) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        for dead_s in DEAD_S:
            for kill_at in range(1, points + 1):
                ended = await tell(script, hotline, stores_of, kill_at, dead_s)
                where = f"killed {ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
                failures += [where + what for what in wrong(ended, script, whole.town.rung())]
    with capsys.disabled():
        print(f"\n{script.name}: {points} boundaries, {points * len(DEAD_S)} kills")
    assert not failures, "\n".join(failures)
    assert points > 20
