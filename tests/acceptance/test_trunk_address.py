"""Who may call: the trunk's address counts, not its port; everybody else is refused. No OPTIONS are needed."""

from tests.acceptance.endings import ends, nobody_else_was_rung


async def test_another_port_of_the_trunks_address_is_served(town):
    await town.hotline(agents=1)
    caller = await town.calls(source=("127.0.0.1", 0))
    assert await caller.final() == 200
    await town.phone(1).rung()
    caller.hang_up()
    await town.phone(1).ended()
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])


async def test_another_address_is_refused(town):
    await town.hotline(agents=1)
    caller = await town.calls(source=("127.0.0.2", 0))
    assert await caller.final(timeout_s=2) in (401, 403)
    assert await town.log_id(-1) is None
    await town.no_channels(timeout_s=1)
    await nobody_else_was_rung(town)


async def test_a_trunk_that_answers_no_options_is_used_all_the_same(town):
    """As in every story: the carrier of these tests leaves OPTIONS unanswered. Nor does anything ask for them."""
    assert "No objects found" in town.asterisk_cli("pjsip show contacts")
    await town.hotline(agents=1)
    caller = await town.calls()
    await town.phone(1).rung()
    caller.hang_up()
    await town.phone(1).ended()
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])
