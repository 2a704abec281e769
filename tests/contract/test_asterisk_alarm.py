"""The verb alarm on a real Asterisk, as the phone hears it and as the disk holds it."""

import asyncio
import contextlib
import math
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.asterisk import Asterisk
from engine.runtime.ports import Address
from engine.switch.asterisk import acks
from engine.vocabulary.commands import DialAlarm, HangUp, Play
from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    CallArrived,
    DialRefused,
    HungUp,
    MachineHeard,
    NoKey,
    PinWrong,
    Played,
)
from tests.conftest import StartAsterisk
from tests.contract.private_asterisk import Ami
from tests.contract.sip_peer import Behaviour, Dialog, SipPeer
from tests.contract.switch_worlds import (
    CLOSING,
    LEVELS,
    MESSAGE,
    VOICE,
    AsteriskWorld,
    alarm_ask,
    fresh_number,
    open_asterisk,
    write_prompts,
)

SPOKEN = [LEVELS[name] for name in ("intro", MESSAGE, "key-1", "decline-9", "repeat")]
CONFIRMED = LEVELS["confirmed"]


@pytest.fixture
async def world(asterisk: Asterisk) -> AsyncIterator[AsteriskWorld]:
    async with open_asterisk(asterisk) as real:
        yield real


async def listener(world: AsteriskWorld, trunk: str = "trunk", peer: SipPeer | None = None, number: str = "",
                   **ask: Any) -> tuple[str, Dialog]:
    """Somebody who has answered and presses what the test presses."""
    leg, number, peer = str(uuid.uuid4()), number or fresh_number("49177"), peer or world.peer
    peer.behaviour.setdefault(number, Behaviour(answer_s=0.0))
    world.numbers[leg] = number
    world.switch.send([DialAlarm(leg, number, trunk, "4930123", 20, alarm_ask(**ask))])
    dialog = await peer.rung(number)
    async with asyncio.timeout(5):
        await dialog.answered.wait()
    return leg, dialog


async def hears(dialog: Dialog, sounds: list[int], within_s: float = 5) -> None:
    """Exactly these, in this order."""
    async with asyncio.timeout(within_s):
        while dialog.rtp.sounds != sounds:  # noqa: ASYNC110 -- a bounded wait on what comes by the wire
            await asyncio.sleep(0.005)


async def until(condition: Any, within_s: float = 5) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_the_message_is_spoken_between_intro_and_key_and_a_star_repeats_it(world: AsteriskWorld) -> None:
    _, dialog = await listener(world)
    await hears(dialog, SPOKEN)
    await dialog.rtp.press("*")
    await hears(dialog, SPOKEN * 2)
    await dialog.rtp.press("9")
    await hears(dialog, [*SPOKEN * 2, LEVELS["declined"]])


async def test_a_key_interrupts_at_any_moment(world: AsteriskWorld, asterisk: Asterisk) -> None:
    write_prompts(asterisk.sounds, 2.0)
    try:
        leg, dialog = await listener(world)
        await hears(dialog, SPOKEN[:1])
        await dialog.rtp.press("1")
        await world.next(Acknowledged, leg, 1)
        await hears(dialog, [SPOKEN[0], CONFIRMED])
        world.switch.send([HangUp(leg, 16)])
    finally:
        write_prompts(asterisk.sounds)


async def test_the_note_is_on_the_disk_before_it_is_confirmed(world: AsteriskWorld, asterisk: Asterisk) -> None:
    leg, dialog = await listener(world)
    note = asterisk.settings.acks / leg
    was_there: list[bool] = []
    dialog.rtp.on_sound = lambda level: was_there.append(note.exists()) if level == CONFIRMED else None
    await hears(dialog, SPOKEN)
    assert not note.exists()
    await dialog.rtp.press("1")
    await world.next(Played, leg)
    assert was_there == [True]


async def test_without_a_note_nobody_is_thanked_by_the_dialplan(start_asterisk: StartAsterisk) -> None:
    async with open_asterisk(asterisk := start_asterisk()) as world:
        asterisk.settings.acks.rmdir()
        leg, dialog = await listener(world)
        await hears(dialog, SPOKEN)
        await dialog.rtp.press("1")
        await world.next(Acknowledged, leg)      # an engine that lives commits it, and its closing thanks
        await world.next(Played, leg)
        world.switch.send([Play(leg, CLOSING, "bye")])
        await world.next(HungUp, leg)
        assert dialog.rtp.sounds == [*SPOKEN, LEVELS[CLOSING]]


async def test_who_is_told_something_else_while_he_is_thanked_hears_both(world: AsteriskWorld) -> None:
    leg, dialog = await listener(world)
    await hears(dialog, SPOKEN)
    await dialog.rtp.press("1")
    await world.next(Acknowledged, leg)
    world.switch.send([Play(leg, f"{VOICE}/alarm-enough", "bye")])
    await world.next(HungUp, leg)
    assert dialog.rtp.sounds == [*SPOKEN, CONFIRMED, LEVELS["enough"]]


async def test_who_listens_hears_that_enough_have_acknowledged(world: AsteriskWorld) -> None:
    leg, dialog = await listener(world)
    await hears(dialog, SPOKEN[:2])
    world.switch.send([Play(leg, f"{VOICE}/alarm-enough", "bye", 26)])
    await world.next(Played, leg)
    assert (await world.next(HungUp, leg)).cause == 26
    assert dialog.rtp.sounds == [*SPOKEN[:2], LEVELS["enough"]]


async def test_who_presses_and_hangs_up_at_once_has_acknowledged(world: AsteriskWorld, asterisk: Asterisk) -> None:
    """If the key came before the BYE at all, its note is there and told, though the verb has no next step any more."""
    kept = 0
    for _ in range(12):
        leg, dialog = await listener(world)
        await hears(dialog, SPOKEN[:1])
        await dialog.rtp.press("1")
        world.peer.hang_up(dialog)
        await world.next(HungUp, leg)
        is_kept = (asterisk.settings.acks / leg).exists()
        assert bool(world.told(Acknowledged, leg)) is is_kept
        kept += is_kept
    assert kept > 6


async def test_a_flood_of_keys_acknowledges_once(world: AsteriskWorld, asterisk: Asterisk) -> None:
    leg, dialog = await listener(world)
    for key in "1" * 15:
        await dialog.rtp.press(key, 40)
    await world.next(HungUp, leg)
    assert len(world.told(Acknowledged, leg)) == len(world.told(Played, leg)) == 1
    assert (asterisk.settings.acks / leg).read_text().count("\n") <= 1


async def test_a_flood_of_other_keys_acknowledges_nothing(world: AsteriskWorld, asterisk: Asterisk) -> None:
    leg, dialog = await listener(world)
    for key in "#5*0#2837#*5#0":
        await dialog.rtp.press(key, 40)
    await world.next(NoKey, leg)
    await world.next(HungUp, leg)
    assert not (asterisk.settings.acks / leg).exists()


async def test_who_listens_for_too_long_is_not_reached(world: AsteriskWorld) -> None:
    leg, dialog = await listener(world)
    await hears(dialog, SPOKEN[:1])
    world.switch.renew([leg], 1)      # as if the verb's own time were over
    await world.next(NoKey, leg)
    await world.next(HungUp, leg)


async def test_what_must_not_go_to_the_switch_is_a_refused_dial(world: AsteriskWorld) -> None:
    leg = str(uuid.uuid4())
    world.switch.send([DialAlarm(leg, "49177", "trunk", "4930", 20, alarm_ask(message="a,RW_PIN=1"))])
    await world.next(DialRefused, leg)


async def test_a_pin_is_nowhere_but_in_the_channel(world: AsteriskWorld, asterisk: Asterisk) -> None:
    pin, wrong = "730194", "951840"
    async with session(asterisk) as ami:
        leg, dialog = await listener(world, pin=pin)
        await hears(dialog, SPOKEN[:1])
        await dialog.rtp.press("1")
        await world.peer.dial_digits(dialog, f"{wrong}#")
        await world.next(PinWrong, leg)
        await ami.ask(Action="CoreShowChannels")
        await world.peer.dial_digits(dialog, f"{pin}#")
        await world.next(Acknowledged, leg)
        await world.next(HungUp, leg)
        await ami.ask(Action="Ping")
        said = str(ami.seen)
    written = "".join(file.read_text(errors="replace") for file in _files(asterisk))
    for digits in (pin, wrong):
        assert digits not in said and digits not in written


async def test_a_key_counts_without_any_engine_and_a_kill_of_asterisk_right_after_it_keeps_the_note(
    start_asterisk: StartAsterisk,
) -> None:
    asterisk = start_asterisk()
    async with open_asterisk(asterisk) as world:
        people = [await listener(world) for _ in range(4)]
        for _, dialog in people:
            await hears(dialog, SPOKEN)
        world.stop()
        await asyncio.gather(*(dialog.rtp.press("1") for _, dialog in people))
        await asyncio.sleep(0.01)
        asterisk.kill()
        assert {note.leg for note in acks.notes(asterisk.settings.acks)} == {leg for leg, _ in people}
        assert {note.leg for note in await world.switch.acknowledgements()} == {leg for leg, _ in people}


async def test_a_key_without_any_engine_is_confirmed_and_the_switch_hangs_up(asterisk: Asterisk) -> None:
    async with open_asterisk(asterisk) as world:
        leg, dialog = await listener(world)
        await hears(dialog, SPOKEN)
        world.stop()
        await dialog.rtp.press("1")
        await hears(dialog, [*SPOKEN, CONFIRMED, LEVELS["bye"]])
        async with asyncio.timeout(2):
            await dialog.ended.wait()
        assert leg in [note.leg for note in await world.switch.acknowledgements()]


async def test_a_second_trunk_carries_calls_both_ways(start_asterisk: StartAsterisk) -> None:
    other = Address("127.0.0.2", 0).chosen(socket.SOCK_DGRAM)
    asterisk = start_asterisk(trunks=[{"name": "alpine", "address": str(other)}])
    async with open_asterisk(asterisk) as world, SipPeer.open(other.port, other.host) as alpine:
        leg, dialog = await listener(world, "alpine", alpine)
        assert (await world.switch.live())[leg].channel.startswith("PJSIP/alpine.")
        await hears(dialog, SPOKEN)
        await dialog.rtp.press("1")
        await world.next(Played, leg)
        assert world.peer.dialogs == {}
        await alpine.call("4930123", world.address)
        assert (await world.next(CallArrived)).channel.startswith("PJSIP/alpine.")


async def test_a_long_greeting_is_a_hint_of_a_machine_and_the_message_is_spoken(world: AsteriskWorld) -> None:
    leg, dialog = await listener(world, amd=True)
    dialog.rtp.fill = speech()
    await world.next(Answered, leg)
    await world.next(MachineHeard, leg)
    await hears(dialog, SPOKEN)
    await dialog.rtp.press("1")      # it decides nothing
    await world.next(Acknowledged, leg)


async def test_silence_on_the_line_is_analysed_and_the_message_is_spoken(world: AsteriskWorld) -> None:
    _, dialog = await listener(world, amd=True)
    await hears(dialog, SPOKEN)


def speech() -> bytes:
    """20 ms of a loud tone in PCMU."""
    return bytes(0x80 | (0x20 if math.sin(2 * math.pi * i / 20) < 0 else 0xA0) for i in range(160))


def _files(asterisk: Asterisk) -> Iterator[Path]:
    for folder in (asterisk.home.log, asterisk.home.path / "asterisk", asterisk.settings.acks):
        yield from (file for file in folder.rglob("*") if file.is_file())


@contextlib.asynccontextmanager
async def session(asterisk: Asterisk) -> AsyncIterator[Ami]:
    """A second session with the engine's own rights: it sees what the engine may see."""
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port, limit=1 << 20)
    ami = Ami(reader, writer)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(ami.read())
        try:
            await ami.ask(Action="Login", Username=asterisk.settings.ami_user, Secret=asterisk.ami_secret)
            yield ami
        finally:
            reading.cancel()
            writer.close()
