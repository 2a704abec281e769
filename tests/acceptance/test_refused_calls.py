"""Calls that are not taken: a paused hotline, a number that nobody has."""

from tests.acceptance.endings import ends, nobody_else_was_rung


async def test_a_paused_hotline_is_temporarily_unavailable(town):
    await town.hotline(agents=1, is_active=False)
    caller = await town.calls()
    assert await caller.final(timeout_s=1) == 480
    await ends(town, "paused", [], ["caller failed 20"])


async def test_a_number_of_no_hotline_is_not_found(town):
    hotline = await town.hotline(agents=1)
    caller = await town.carrier.call("4917012345", hotline.number[1:-1] + "9")
    assert await caller.final(timeout_s=1) == 404
    assert await town.log_id(-1) is None
    await nobody_else_was_rung(town)
