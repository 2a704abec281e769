"""The mailbox keeps the order and never blocks a writer."""

import asyncio
from typing import cast

from engine.mailbox import Item, Mailbox, Settled, Tick
from engine.vocabulary.events import Played
from tests.playbook import at


def item(number: int) -> Played:
    return Played(at(number), f"leg-{number}")


async def test_everything_posted_is_taken_at_once_in_its_order() -> None:
    box = Mailbox()
    box.post(item(1), item(2))
    box.post(item(3))
    assert await box.take_all() == [item(1), item(2), item(3)]


async def test_a_reader_waits_for_the_first_item() -> None:
    box = Mailbox()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(box.take_all())
        await asyncio.sleep(0)
        assert not reading.done()
        box.post(item(1))
    assert reading.result() == [item(1)]


async def test_what_was_put_back_comes_before_what_came_meanwhile() -> None:
    box = Mailbox()
    box.post(item(3))
    box.put_back([item(1), item(2)])
    assert await box.take_all() == [item(1), item(2), item(3)]


async def test_at_most_one_tick_waits_however_long_the_reader_is_away() -> None:
    box = Mailbox()
    for _ in range(5):
        box.tick()
    assert await box.take_all() == [Tick()]
    box.tick()
    assert await box.take_all() == [Tick()]


async def test_a_wake_lets_the_reader_run_without_items() -> None:
    box = Mailbox()
    box.wake()
    assert await box.take_all() == []


async def test_a_settled_mark_keeps_its_place() -> None:
    box = Mailbox()
    mark = Settled(asyncio.Event())
    box.post(item(1), cast(Item, mark), item(2))
    assert (await box.take_all())[1] is mark
