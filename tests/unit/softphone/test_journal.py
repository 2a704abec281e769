import asyncio

import pytest

from engine.softphone import Journal, NeverHappened


async def test_what_has_happened_is_not_waited_for():
    journal = Journal()
    first = journal.write("4911", "x", "invite")
    assert await journal.wait(lambda entry: entry.what == "invite", "an invite", 0) is first


async def test_what_happens_later_wakes_who_waits():
    journal = Journal()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(journal.wait(lambda entry: entry.what == "bye", "two byes", 2, times=2, who="4911"))
        for who in ("4911", "4922", "4911"):
            await asyncio.sleep(0)
            journal.write(who, "x", "bye")
    assert waiting.result() is journal.entries[-1]


async def test_what_never_happens_is_named_with_the_end_of_the_journal():
    journal = Journal()
    journal.write("4911", "x", "cancel", "Q.850;cause=26", 26)
    with pytest.raises(NeverHappened, match=r"(?s)an answer.*4911: cancel Q\.850;cause=26 cause 26"):
        await journal.wait(lambda entry: False, "an answer", 0.01)


def test_entries_are_found_by_number_call_and_kind():
    journal = Journal()
    for who, call, what in (("1", "x", "invite"), ("1", "y", "invite"), ("2", "x", "bye")):
        journal.write(who, call, what)
    assert len(journal.of(who="1")) == 2 and len(journal.of(call="x")) == 2
    assert journal.of(who="1", call="y", what="invite") == [journal.entries[1]]
