"""The baselines keep as many calls alive as they are told, and no more once they are stopped."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bench import bare_loop
from bench.bare_loop import AmiLoop, CallFiles


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare_loop, "RAMP_S", 0.0)


def channel(number: int) -> str:
    return f"PJSIP/trunk/sip:{number}@127.0.0.1:5080"


async def becomes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- files and sockets tell nobody
            await asyncio.sleep(0.005)


class Switch:
    """Takes everything that is sent to it."""

    def __init__(self) -> None:
        self.heard = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            self.heard += data.decode()
        writer.close()

    @property
    def legs(self) -> list[str]:
        return re.findall(r"ChannelId: (\S+)", self.heard)


def say(loop: AmiLoop, *lines: str) -> None:
    loop.data_received("\r\n".join([*lines, "", ""]).encode())


@pytest.fixture
async def switch() -> AsyncIterator[tuple[Switch, AmiLoop]]:
    there = Switch()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    loop = AmiLoop(server.sockets[0].getsockname(), "secret", channel)
    yield there, loop
    loop.shut()
    server.close()
    await becomes(lambda: len(asyncio.all_tasks()) == 1)    # the server's own has ended


async def test_the_loop_dials_again_for_each_call_that_hung_up_or_was_refused_and_for_no_other(
    switch: tuple[Switch, AmiLoop],
) -> None:
    there, loop = switch
    await loop.start(2)
    await becomes(lambda: len(there.legs) == 2)
    first, second = there.legs
    say(loop, "Event: Hangup", "Channel: PJSIP/trunk-1", f"Uniqueid: {first}", f"Linkedid: {first}")
    say(loop, "Event: Hangup", f"Uniqueid: {first}")
    say(loop, "Event: Hangup", "Uniqueid: somebody-else")
    say(loop, "Response: Success", f"ActionID: {second}")
    say(loop, "Response: Error", f"ActionID: {second}", "Message: no")
    await becomes(lambda: len(there.legs) >= 4)
    assert len(set(there.legs)) == 4


async def test_a_loop_that_was_stopped_dials_no_more(switch: tuple[Switch, AmiLoop]) -> None:
    there, loop = switch
    await loop.start(1)
    await becomes(lambda: len(there.legs) == 1)
    await loop.stop()
    say(loop, "Event: Hangup", f"Uniqueid: {there.legs[0]}")
    await loop.start(1)     # comes behind what the other would have been
    await becomes(lambda: len(there.legs) >= 2)
    assert len(there.legs) == 2


async def test_a_message_that_comes_in_two_pieces_is_one(switch: tuple[Switch, AmiLoop]) -> None:
    there, loop = switch
    await loop.start(1)
    await becomes(lambda: len(there.legs) == 1)
    said = f"Event: Hangup\r\nUniqueid: {there.legs[0]}\r\n\r\n".encode()
    loop.data_received(said[:20])
    loop.data_received(said[20:])
    await becomes(lambda: len(there.legs) == 2)


async def test_call_files_are_followed_by_another_when_asterisk_has_removed_one(tmp_path: Path) -> None:
    outgoing = tmp_path / "outgoing"
    outgoing.mkdir()

    def files() -> list[Path]:
        return sorted(outgoing.iterdir())

    calls = CallFiles(tmp_path, channel)
    await calls.start(2)
    gone, stays = files()
    assert f"Channel: {channel(bare_loop.FIRST_NUMBER)}\n" in gone.read_text() + stays.read_text()
    gone.unlink()
    await becomes(lambda: len(files()) == 2)
    assert gone not in files() and stays in files()
    await calls.stop()
    files()[0].unlink()
    for _ in range(3):
        await asyncio.sleep(0)  # it is told of the removal
    await calls.start(1)
    assert len(files()) == 2
    calls.shut()
