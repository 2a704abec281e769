"""The baselines keep as many calls alive as they are told, and no more once they are stopped."""

import asyncio
import re
from collections.abc import Callable
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
    """An AMI server that takes everything and says what the test tells it to."""

    def __init__(self) -> None:
        self.heard = ""
        self.to: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.to = writer
        while data := await reader.read(1 << 16):
            self.heard += data.decode()
        writer.close()

    @property
    def legs(self) -> list[str]:
        return re.findall(r"ChannelId: (\S+)", self.heard)

    def say(self, *lines: str) -> None:
        assert self.to is not None
        self.to.write("\r\n".join([*lines, "", ""]).encode())


async def test_the_loop_dials_again_for_each_call_that_hung_up_or_was_refused_and_for_no_other() -> None:
    switch = Switch()
    server = await asyncio.start_server(switch.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    loop = AmiLoop((host, port), "secret", channel)
    await loop.start(2)
    await becomes(lambda: len(switch.legs) == 2)
    first, second = switch.legs
    switch.say("Event: Hangup", "Channel: PJSIP/trunk-1", f"Uniqueid: {first}", f"Linkedid: {first}")
    switch.say("Event: Hangup", f"Uniqueid: {first}")
    switch.say("Event: Hangup", "Uniqueid: somebody-else")
    switch.say("Response: Success", f"ActionID: {second}")
    switch.say("Response: Error", f"ActionID: {second}", "Message: no")
    await becomes(lambda: len(switch.legs) == 4)
    await loop.stop()
    switch.say("Event: Hangup", f"Uniqueid: {switch.legs[3]}")
    await loop.start(1)     # comes behind what it heard
    await becomes(lambda: len(switch.legs) >= 5)
    assert len(switch.legs) == 5 == len(set(switch.legs))
    loop.shut()
    assert switch.to is not None
    await becomes(switch.to.is_closing)
    await switch.to.wait_closed()
    server.close()
    await server.wait_closed()


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
