"""Live calls, their rows and the ownership of a switch (`ports.CallStore`), in memory and in Postgres alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from engine.ports import FencedOut
from engine.vocabulary.commands import Finish
from engine.vocabulary.values import EntryType
from tests.call_stores import MemoryWorld, PostgresWorld, World, batch, call, entry, owner, record
from tests.playbook import at

HOUR_S = 3600.0


@pytest.fixture
async def world(url: str | None) -> AsyncIterator[World]:
    if url is None:
        yield MemoryWorld()
        return
    made = PostgresWorld(url)
    yield made
    for engine in made.engines:
        await engine.close()


# --- who owns the switch -----------------------------------------------------------------------------------------


async def test_a_switch_that_nobody_owns_is_taken(world: World) -> None:
    assert await world.engine().take_over(10)


async def test_a_switch_whose_owner_lives_is_refused(world: World) -> None:
    first = await owner(world)
    second = world.engine()
    assert not await second.take_over(10)
    await first.save(batch(call()))
    assert not await second.take_over(10)


async def test_when_the_owners_process_is_gone_its_switch_is_taken_at_once(world: World) -> None:
    first = await owner(world)
    await world.dies(first)
    second = world.engine()
    async with asyncio.timeout(5):
        while not await second.take_over(10):  # noqa: ASYNC110 -- the server tells nobody that a client is gone
            await asyncio.sleep(0.01)


async def test_an_owner_that_stopped_beating_is_replaced_and_saves_nothing_any_more(world: World) -> None:
    first, second = await owner(world), world.engine()
    await first.save(batch(call(1), rows=[entry(EntryType.CALLER_CONNECTED)]))
    assert not await second.take_over(10)
    await world.age(9)
    assert not await second.take_over(10)
    await world.age(2)
    assert await second.take_over(10)
    late = batch(call(2), rows=[entry(EntryType.BRIDGED)], beat=True)
    with pytest.raises(FencedOut):
        await first.save(late)
    assert [one.call_id for one in await second.load_calls()] == [call(1).call_id]
    assert await world.rows() == ["callerConnected"]
    await second.save(batch(call(3)))


async def test_a_heartbeat_keeps_the_owner(world: World) -> None:
    first, second = await owner(world), world.engine()
    for number in (1, 2, 3):
        assert not await second.take_over(10)
        await world.age(9)
        await first.save(batch(call(number), beat=True))
    assert not await second.take_over(10)


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_an_owner_that_stands_still_is_replaced_in_time_whatever_the_clock_says(
        world: World, by_s: float) -> None:
    first, second = await owner(world), world.engine()
    await world.jumps(by_s)
    assert not await second.take_over(10)
    await world.age(9)
    assert not await second.take_over(10)
    await world.age(2)
    assert await second.take_over(10)
    with pytest.raises(FencedOut):
        await first.save(batch(call(1), beat=True))


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_a_clock_that_jumps_replaces_no_owner_that_lives(world: World, by_s: float) -> None:
    first, second = await owner(world), world.engine()
    await first.save(batch(call(1), beat=True))
    await world.jumps(by_s)
    assert not await second.take_over(10)
    await world.age(5)
    await first.save(batch(call(2), beat=True))
    assert not await second.take_over(10)
    await world.age(9)
    assert not await second.take_over(10)


# --- what is saved -----------------------------------------------------------------------------------------------


async def test_a_call_comes_back_as_it_was_saved(world: World) -> None:
    engine = await owner(world)
    saved = call(outbox=[["Play", {"leg": "1.2", "not_after": None}]])
    await engine.save(batch(saved))
    [loaded] = await engine.load_calls()
    assert replace(loaded, is_new=True) == saved


async def test_rows_come_in_the_order_they_were_written_together_with_the_state(world: World) -> None:
    engine = await owner(world)
    kinds = [EntryType.CALLER_CONNECTED, EntryType.AGENT_CALLED, EntryType.AGENT_CALLED, EntryType.BRIDGED]
    await engine.save(batch(call(), rows=[*map(entry, kinds), record("leg-2"), record("leg-1")]))
    assert await world.rows() == [*(kind.value for kind in kinds), "leg-2", "leg-1"]


async def test_calls_are_loaded_oldest_first(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(3), call(1)))
    await engine.save(batch(call(2)))
    assert [one.call_id for one in await engine.load_calls()] == [call(n).call_id for n in (1, 2, 3)]


async def test_saving_a_call_again_replaces_state_and_outbox(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(outbox=[["HangUp", {}]])))
    await engine.save(batch(call(is_new=False, phase="talking", state={"winner": "leg-1"})))
    [loaded] = await engine.load_calls()
    assert (loaded.phase, loaded.state, list(loaded.outbox)) == ("talking", {"winner": "leg-1"}, [])


async def test_a_finished_call_is_gone_and_its_log_says_how(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call()))
    await engine.save(batch(call(is_new=False), rows=[entry(EntryType.CALL_ENDED), Finish(at(9), "answered")]))
    assert await engine.load_calls() == []
    assert await world.rows() == ["callEnded", "answered"]


async def test_a_call_that_begins_and_ends_in_one_batch_leaves_its_log(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(), rows=[entry(EntryType.CALLER_CONNECTED), Finish(at(0.1), "callerHangup")]))
    assert await engine.load_calls() == []
    assert await world.rows() == ["callerConnected", "callerHangup"]
    assert await engine.call_of_leg(call().caller_leg) == call().call_id


async def test_a_failed_call_keeps_its_row_and_is_not_loaded(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(1), call(2)))
    await engine.save(batch(call(1, is_new=False, phase="failed")))
    assert [one.call_id for one in await engine.load_calls()] == [call(2).call_id]
    assert await engine.call_of_leg(call(1).caller_leg) == call(1).call_id


async def test_the_newest_call_of_a_leg_is_found_whether_it_lives_or_not(world: World) -> None:
    engine = await owner(world)
    assert await engine.call_of_leg("1795291439.1") is None
    await engine.save(batch(call(1)))
    await engine.save(batch(call(1, is_new=False), rows=[Finish(at(9), "answered")]))
    assert await engine.call_of_leg("1795291439.1") == call(1).call_id
    await engine.save(batch(call(2, caller_leg="1795291439.1")))
    assert await engine.call_of_leg("1795291439.1") == call(2).call_id


async def test_questions_may_be_asked_while_a_save_is_in_flight(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(1)))
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(engine.call_of_leg(call(1).caller_leg)) for _ in range(5)]
        for number in range(2, 7):
            tasks.create_task(engine.save(batch(call(number))))
    assert {one.result() for one in asked} == {call(1).call_id}
    assert len(await engine.load_calls()) == 6
