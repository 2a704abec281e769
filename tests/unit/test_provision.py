"""Hotlines become ready, and the switch learns what its fallback needs."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.ports import SpeechFailed, StoreFailed, UnreadyHotline
from engine.provision import Provision
from engine.store.memory_directory import MemoryDirectory
from engine.store.memory_hotlines import MemoryHotlines
from engine.switch.memory import MemorySwitch
from engine.vocabulary.values import Hotline
from tests.desk import turns, until
from tests.directories import Org, world


@dataclass
class Voice:
    """ports.Speech: says everything but what is unspeakable."""

    spoken: list[str] = field(default_factory=list)
    in_use: list[Collection[str]] = field(default_factory=list)
    ready: bool = True
    mute: bool = False

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def convert(self, wav: bytes) -> str:
        return "rec/00"

    async def prune(self, in_use: Collection[str]) -> None:
        self.in_use.append(in_use)

    async def render(self, text: str, language: str, *, urgency: int = 0) -> str:
        if self.mute or "unspeakable" in text:
            raise SpeechFailed("no such word")
        self.spoken.append(text)
        return f"cache/{len(text)}"

    def path(self, sound: str) -> Path:
        return Path(sound)


class UnsteadyHotlines(MemoryHotlines):
    failures = 0

    async def unready(self) -> list[UnreadyHotline]:  # type: ignore[override]
        if self.failures:
            self.failures -= 1
            raise StoreFailed("no answer")
        return list(await super().unready())


@dataclass
class Made:
    org: Org
    directory: MemoryDirectory
    hotlines: UnsteadyHotlines
    switch: MemorySwitch
    voice: Voice
    provision: Provision

    def status(self, hotline_id: int) -> str:
        return self.directory.hotline_rows[hotline_id].stored.status


@asynccontextmanager
async def provided() -> AsyncIterator[Made]:
    async with world(None) as directory:
        org = await directory.organisation(numbers=5)
        assert isinstance(directory.directory, MemoryDirectory)
        hotlines = UnsteadyHotlines(directory.directory, wake_s=0.01)
        switch, voice = MemorySwitch(), Voice()
        switch.restore()
        provision = Provision(switch, hotlines, voice)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(provision.run())
            yield Made(org, directory.directory, hotlines, switch, voice, provision)
            running.cancel()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.provision.RETRY_S", 0.02)


async def test_a_new_hotline_is_spoken_and_then_active() -> None:
    async with provided() as made:
        stored = await made.org.hotline(tts_inbound="Guten Tag", tts_outbound="Drücken Sie die 1")
        await until(lambda: made.status(stored.hotline_id) == "active")
        hotline = await made.hotlines.by_number(stored.number[1:])
        assert hotline is not None
        assert (hotline.greeting, hotline.ask) == ("cache/9", "cache/17")


async def test_an_empty_text_is_the_recorded_default() -> None:
    async with provided() as made:
        stored = await made.org.hotline(tts_inbound="  ", tts_outbound="")
        await until(lambda: made.status(stored.hotline_id) == "active")
        hotline = await made.hotlines.by_number(stored.number[1:])
        assert hotline is not None and (hotline.greeting, hotline.ask) == ("de/welcome", "de/ask")
        assert made.voice.spoken == []


async def test_a_text_that_cannot_be_spoken_is_an_error_and_the_hotline_still_takes_calls() -> None:
    async with provided() as made:
        bad = await made.org.hotline(tts_inbound="unspeakable")
        good = await made.org.hotline()
        await until(lambda: made.status(good.hotline_id) == "active")
        assert made.status(bad.hotline_id) == "error"
        hotline = await made.hotlines.by_number(bad.number[1:])
        assert hotline is not None and hotline.greeting == "de/welcome"


async def test_what_could_not_be_spoken_is_tried_again_when_there_is_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.provision.AGAIN_AFTER_S", 0.02)
    async with provided() as made:
        made.voice.mute = True
        stored = await made.org.hotline()
        await until(lambda: made.status(stored.hotline_id) == "error")
        made.voice.ready, made.voice.mute = False, False
        await asyncio.sleep(0.1)  # some wakes
        assert made.voice.spoken == []
        made.voice.ready = True
        await until(lambda: made.status(stored.hotline_id) == "active")


async def test_what_is_ready_is_not_spoken_again() -> None:
    async with provided() as made:
        stored = await made.org.hotline()
        await until(lambda: made.status(stored.hotline_id) == "active")
        spoken = len(made.voice.spoken)
        await made.org.hotline(tts_inbound="a second one")
        await until(lambda: "a second one" in made.voice.spoken)
        assert len(made.voice.spoken) == spoken + 2


async def test_the_switch_learns_every_hotline_with_its_phones() -> None:
    async with provided() as made:
        stored = await made.org.hotline()
        await made.org.phone(made.org.users[0], "+4930111")
        await until(lambda: made.switch.hotlines.get(stored.number[1:]) is not None
                    and made.switch.hotlines[stored.number[1:]].phones)
        assert [one.number for one in made.switch.hotlines[stored.number[1:]].phones] == ["4930111"]


async def test_the_switch_is_not_asked_what_it_knows_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    put = MemorySwitch.put_hotlines

    async def counted(switch: MemorySwitch, hotlines: Sequence[Hotline]) -> None:
        told.append(len(hotlines))
        await put(switch, hotlines)

    monkeypatch.setattr(MemorySwitch, "put_hotlines", counted)
    async with provided() as made:
        stored = await made.org.hotline()
        await until(lambda: made.status(stored.hotline_id) == "active")
        await until(lambda: made.switch.hotlines.get(stored.number[1:]))
        await asyncio.sleep(0.05)  # some wakes
        before = len(told)
        await asyncio.sleep(0.05)
        assert len(told) == before
        made.provision.refresh()
        await until(lambda: len(told) > before)


async def test_a_switch_that_was_away_is_told_when_it_is_back() -> None:
    async with provided() as made:
        made.switch.cut()
        stored = await made.org.hotline()
        await turns(50)
        assert made.switch.hotlines == {}
        made.switch.restore()
        made.provision.refresh()
        await until(lambda: stored.number[1:] in made.switch.hotlines)


async def test_a_database_that_fails_is_asked_again() -> None:
    async with provided() as made:
        made.hotlines.failures = 3
        stored = await made.org.hotline()
        await until(lambda: made.status(stored.hotline_id) == "active")


async def test_speech_is_pruned_now_and_then_but_what_a_hotline_says_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.provision.PRUNE_EVERY_S", 0.02)
    async with provided() as made:
        stored = await made.org.hotline(tts_inbound="Guten Tag", tts_outbound="")
        await until(lambda: made.status(stored.hotline_id) == "active")
        await until(lambda: made.voice.in_use and made.voice.in_use[-1] == {"cache/9", "de/ask"})
