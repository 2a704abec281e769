"""An engine is killed at every boundary of a campaign, a new one takes over: nobody is called more often than was
allowed, too early, or though he must not be called; everybody is dealt with, and the campaign is completed."""

import pytest

from tests.crash.campaign_stories import DEATHS, STORIES, Story, tell, unlike, wrong
from tests.crash.memory_stores import MemoryStores
from tests.crash.mortal_engine import NEVER
from tests.crash.town import Town
from tests.directories import world


@pytest.mark.timeout(240)
@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_killed_at_every_boundary_a_campaign_keeps_its_promises(
    story: Story, eager: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(None) as directory:

        async def stores_of(town: Town) -> MemoryStores:
            return MemoryStores(town, directory.hotlines)

        whole = await tell(story, stores_of, NEVER, 0, False)
        assert wrong(whole, story) + unlike(whole, story) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        for dead_s, is_switch_dead in DEATHS:
            for kill_at in range(1, points + 1):
                ended = await tell(story, stores_of, kill_at, dead_s, is_switch_dead)
                died = "with the switch " if is_switch_dead else ""
                where = f"killed {died}{ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
                failures += [where + what for what in wrong(ended, story)]
    with capsys.disabled():
        print(f"\n{story.name}: {points} boundaries, {points * len(DEATHS)} kills")
    assert not failures, "\n".join(failures)
    assert points > 20
