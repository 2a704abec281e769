"""Stories of `test_kill_points_of_campaigns.py` on a real Postgres, where a save can also be cut in the middle.

`make test` kills at a third of the boundaries, `make torture` at all of them."""

from collections.abc import Callable, Sequence
from itertools import cycle

import pytest

from tests.crash.campaign_stories import DEATHS, STORIES, Story, tell, unlike, wrong
from tests.crash.mortal_engine import NEVER
from tests.crash.postgres_stores import database

# several at once, each line in turn, and a pause; windows go by the database's own clock
ON_POSTGRES = [story for story in STORIES if story.name.startswith(("two", "some", "paused"))]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", ON_POSTGRES, ids=str)
async def test_killed_at_every_boundary_a_campaign_keeps_its_promises(
    story: Story, database_url: str, eager_postgres: None, some: Callable[[int], Sequence[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with database(database_url, has_campaigns=True) as there:
        await there.test.execute("INSERT INTO organisations (name) VALUES ('Feuerwehr')")
        await there.test.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', 1)")
        whole = await tell(story, there.stores, NEVER, 0, False)
        assert wrong(whole, story) + unlike(whole, story) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        kills = 0
        for kill_at, (dead_s, is_switch_dead) in zip(some(points), cycle(DEATHS), strict=False):
            ended = await tell(story, there.stores, kill_at, dead_s, is_switch_dead)
            kills += ended.fate.is_dead
            died = "with the switch " if is_switch_dead else ""
            where = f"killed {died}{ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
            failures += [where + what for what in wrong(ended, story)]
    with capsys.disabled():
        print(f"\n{story.name}: {points} boundaries, {kills} kills on Postgres")
    assert not failures, "\n".join(failures)
    assert points > 20
