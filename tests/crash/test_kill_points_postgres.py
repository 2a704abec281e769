"""Stories of `test_kill_points.py` on a real Postgres, where a save can also be cut in the middle."""

from itertools import cycle

import pytest

from tests.crash.hotline_stories import DEAD_S, SCRIPTS, Script, hotline_of, tell, wrong
from tests.crash.mortal_engine import NEVER
from tests.crash.postgres_stores import database
from tests.directories import world

# the richest one, and the one in which nobody is reached
ON_POSTGRES = [script for script in SCRIPTS if script.name in ("two accept at once", "all decline")]


@pytest.mark.parametrize("script", ON_POSTGRES, ids=str)
async def test_killed_at_every_boundary_nobody_is_lost_and_nothing_happens_twice(
    script: Script, database_url: str, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(database_url) as directory, database(database_url, has_alarms=False) as there:
        hotline = await hotline_of(directory)
        whole = await tell(script, hotline, there.stores, NEVER, 0)
        assert wrong(whole, script, whole.town.rung()) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        kills = 0
        for kill_at, dead_s in zip(range(1, points + 1), cycle(DEAD_S), strict=False):
            ended = await tell(script, hotline, there.stores, kill_at, dead_s)
            kills += ended.fate.is_dead
            where = f"killed {ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
            failures += [where + what for what in wrong(ended, script, whole.town.rung())]
    with capsys.disabled():
        print(f"\n{script.name}: {points} boundaries, {kills} kills on Postgres")
    assert not failures, "\n".join(failures)
    assert points > 20
