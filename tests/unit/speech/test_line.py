"""The line in which sounds wait to be made."""

import asyncio

import pytest

from engine.ports import SpeechFailed
from engine.speech.line import FAIR, Line


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_lowest_urgency_comes_first_and_then_the_oldest() -> None:
    line: Line[str] = Line()
    async with asyncio.TaskGroup() as tasks:
        for name, urgency in (("c", 2), ("a", 0), ("d", 2), ("b", 1)):
            tasks.create_task(line.ask(name, name.upper(), urgency))
        await turns()
        taken = [await line.take() for _ in range(4)]
        for job in taken:
            line.end(job, None)
    assert [job.order for job in taken] == ["A", "B", "C", "D"]


async def test_asked_again_with_a_lower_urgency_it_moves_up_and_is_made_once() -> None:
    line: Line[str] = Line()
    async with asyncio.TaskGroup() as tasks:
        for name, urgency in (("own", 1), ("shared", 0), ("early", 2), ("early", 0), ("early", 1)):
            tasks.create_task(line.ask(name, name, urgency))
        await turns()
        taken = [await line.take() for _ in range(3)]
        assert [job.name for job in taken] == ["shared", "early", "own"]
        for job in taken:
            line.end(job, None)
        nothing_more = tasks.create_task(line.take())
        await turns()
        assert not nothing_more.done()
        nothing_more.cancel()


async def test_what_is_ahead_of_time_is_made_although_something_urgent_always_waits() -> None:
    line: Line[str] = Line()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(line.ask("early", "", 2))
        await turns()
        for number in range(FAIR):
            tasks.create_task(line.ask(f"urgent {number}", "", 0))
        await turns()
        order = []
        while "early" not in order:
            job = await line.take()
            line.end(job, None)
            order.append(job.name)
            tasks.create_task(line.ask(f"more urgent {len(order)}", "", 0))
            await turns()
        assert len(order) == FAIR
        for _ in range(FAIR + 1):
            line.end(await line.take(), None)


async def test_what_nobody_waits_for_is_not_made() -> None:
    line: Line[str] = Line()
    async with asyncio.TaskGroup() as tasks:
        given_up = tasks.create_task(line.ask("a", "", 0))
        shared = tasks.create_task(line.ask("b", "", 1))
        impatient = tasks.create_task(line.ask("b", "", 1))
        await turns()
        given_up.cancel()
        impatient.cancel()
        await turns()
        job = await line.take()
        assert job.name == "b"
        line.end(job, None)
        await shared


async def test_a_closed_line_fails_everybody_and_may_be_opened_again() -> None:
    line: Line[str] = Line()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_failure(line))
        await turns()
        job = await line.take()
        line.close("stopped")
        line.end(job, None)  # too late
        assert await waiting == "stopped"
        assert await _failure(line) == "speech was stopped"
        line.open()
        tasks.create_task(line.ask("a", "", 0))
        line.end(await line.take(), None)


async def _failure(line: Line[str]) -> str:
    with pytest.raises(SpeechFailed) as error:
        await line.ask("a", "", 0)
    return str(error.value)
