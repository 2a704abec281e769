"""What programs record is in the database before the switch forgets it, and once."""

from collections.abc import AsyncIterator

import pytest

from engine.kept_recordings import KeptRecordings
from engine.ports import Recorded, StoreFailed
from engine.store.memory_calls import Shelf
from engine.store.memory_campaign_book import CampaignBook, Contact, Spool
from engine.store.memory_campaigns import MemoryCampaigns
from engine.switch.memory import MemorySwitch
from engine.switch.memory_program import HEARD
from tests.clocks import SwitchClock


class Machine(MemorySwitch):
    """What is in its files, by name; an exception is raised."""

    __slots__ = ("files",)

    async def recorded_audio(self, one: Recorded) -> bytes:
        found = self.files.get(one.name, b"")
        if isinstance(found, OSError):
            raise found
        return bytes(found)


@pytest.fixture
async def world() -> AsyncIterator[tuple[Machine, CampaignBook, KeptRecordings, Spool]]:
    switch = Machine()
    switch.files = {}
    book = CampaignBook(Shelf(SwitchClock(switch)))
    spool = book.send(Contact(1, "+493055510"), "ivr", {})
    yield switch, book, KeptRecordings(switch, MemoryCampaigns(book)), spool


World = tuple[Machine, CampaignBook, KeptRecordings, Spool]


def left(switch: Machine, spool: Spool, step: int, data: bytes | OSError) -> str:
    name = f"{spool.spool_id}-{step}"
    switch.files[name] = data
    switch._recorded.append(name)
    return name


async def test_a_recording_becomes_a_result_and_its_file_is_forgotten(world: World) -> None:
    switch, book, recordings, spool = world
    left(switch, spool, 2, HEARD)
    await recordings.bring_in()
    assert book.kept == {(spool.spool_id, 2): HEARD} and switch._recorded == []
    [result] = book.results
    assert (result.spool_id, result.application_id) == (spool.spool_id, 2)
    assert (result.type, result.name) == ("message", "recording")


async def test_while_the_database_is_away_the_file_stays(world: World) -> None:
    switch, book, recordings, spool = world
    name = left(switch, spool, 2, HEARD)
    book.shelf.is_down = True
    with pytest.raises(StoreFailed):
        await recordings.bring_in()
    assert switch._recorded == [name]
    book.shelf.is_down = False
    await recordings.bring_in()
    assert switch._recorded == [] and len(book.kept) == 1


async def test_a_file_that_is_found_again_is_kept_once(world: World) -> None:
    switch, book, recordings, spool = world
    for _ in range(2):
        left(switch, spool, 2, HEARD)
        await recordings.bring_in()
    assert len(book.kept) == 1 and len(book.results) == 1


@pytest.mark.parametrize("data", [b"", b"no WAV at all", HEARD[:40] + bytes(4)])
async def test_a_mark_without_a_sound_is_only_forgotten(world: World, data: bytes) -> None:
    switch, book, recordings, spool = world
    left(switch, spool, 2, data)
    await recordings.bring_in()
    assert book.kept == {} and switch._recorded == []


async def test_a_file_that_cannot_be_read_keeps_no_other_from_being_brought_in(world: World) -> None:
    switch, book, recordings, spool = world
    name = left(switch, spool, 1, PermissionError("no"))
    left(switch, spool, 2, HEARD)
    await recordings.bring_in()
    assert [*book.kept] == [(spool.spool_id, 2)] and switch._recorded == [name]


async def test_a_recording_of_nobody_is_forgotten(world: World) -> None:
    switch, book, recordings, spool = world
    spool.spool_id = 999
    left(switch, spool, 1, HEARD)
    await recordings.bring_in()
    assert book.kept == {} and switch._recorded == []
