"""The audio of very many calls on one port, by packets over loopback."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from aiortp.dtmf import DtmfEvent
from aiortp.packet import RtpPacket

from bench.media import Media
from engine.softphone.g711 import FRAME, PCMA

HOST = "127.0.0.1"
VOICE = PCMA.encode((8000 * np.sin(np.arange(FRAME))).astype(np.int16))


@pytest.fixture
def media() -> Iterator[Media]:
    made = Media(HOST)
    yield made
    made.shut()


@pytest.fixture
def switch() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HOST, 0))
        made.settimeout(2)
        yield made


def speak(switch: socket.socket, media: Media, *sequence: int, payload: bytes = VOICE) -> None:
    for number in sequence:
        packet = b"\x80\x08" + (number & 0xFFFF).to_bytes(2) + (number * FRAME & 0xFFFFFFFF).to_bytes(4) + b"\1\2\3\4"
        switch.sendto(packet + payload, (HOST, media.port))


def tick(media: Media) -> list[int]:
    return list(media.tick(time.monotonic()))


def open_for(media: Media, switch: socket.socket, frames: int = 50) -> int:
    return media.open(switch.getsockname()[1], frames)


def test_a_call_is_named_once_when_it_has_heard_all_it_waits_for(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch, frames=3)
    speak(switch, media, 1, 2)
    assert tick(media) == []
    speak(switch, media, 3)
    assert tick(media) == [call]
    speak(switch, media, 4)
    assert tick(media) == []
    heard = media.close(call)
    assert (heard.packets, heard.audible, heard.lost) == (4, 4, 0)


def test_a_packet_that_never_came_is_lost_also_where_numbers_begin_again(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    speak(switch, media, 65534, 65535, 65537, 65538)
    tick(media)
    assert media.close(call).lost == 1


def test_silence_is_heard_and_is_not_audible(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    speak(switch, media, 1, payload=PCMA.silence)
    speak(switch, media, 2)
    tick(media)
    assert (heard := media.close(call)).packets == 2 and heard.audible == 1


def test_a_pause_between_two_packets_is_told(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    for number, pause_s in ((1, 0.02), (2, 0.3), (3, 0.0)):
        speak(switch, media, number)
        tick(media)
        time.sleep(pause_s)
    assert media.close(call).longest_gap_s == pytest.approx(0.3, abs=0.05)


def test_that_we_were_late_is_no_pause(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    for number in range(5):
        speak(switch, media, number)
        time.sleep(0.02)
    time.sleep(0.2)
    tick(media)
    assert media.close(call).longest_gap_s == pytest.approx(0.02, abs=0.03)


def test_voice_goes_back_as_another_source(media: Media, switch: socket.socket) -> None:
    open_for(media, switch)
    speak(switch, media, 1)
    tick(media)
    back = RtpPacket.parse(switch.recv(2048))
    assert (back.payload, back.payload_type, back.sequence_number) == (VOICE, 8, 1)
    assert back.ssrc != 0x01020304


def test_what_no_call_waits_for_is_a_stray_and_gets_no_answer(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    media.close(call)
    speak(switch, media, 1)
    tick(media)
    assert media.stray == 1
    switch.settimeout(0.05)
    with pytest.raises(TimeoutError):
        switch.recv(2048)


def test_a_place_that_another_call_takes_begins_anew(media: Media, switch: socket.socket) -> None:
    first = open_for(media, switch)
    speak(switch, media, 1, 2, 9)
    tick(media)
    assert media.close(first).lost == 6
    second = open_for(media, switch)
    speak(switch, media, 500)
    tick(media)
    assert (heard := media.close(second)).packets == 1 and heard.lost == 0


def test_a_key_is_one_event_of_a_tenth_of_a_second_that_ends(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    speak(switch, media, 1)
    list(media.tick(10.0))
    switch.recv(2048)
    media.press(call, 7, 10.02)
    list(media.tick(10.2))
    packets = [RtpPacket.parse(switch.recv(2048)) for _ in range(7)]
    events = [DtmfEvent.parse(packet.payload) for packet in packets]
    assert {event.digit for event in events} == {"7"} and {packet.timestamp for packet in packets} == {2 * FRAME}
    assert [event.end for event in events] == [False] * 4 + [True] * 3
    assert events[-1].duration == 800
    assert [packet.sequence_number for packet in packets] == list(range(2, 9))


def test_a_call_that_ends_presses_no_more(media: Media, switch: socket.socket) -> None:
    call = open_for(media, switch)
    media.press(call, 7, 10.0)
    media.close(call)
    list(media.tick(11.0))
    switch.settimeout(0.05)
    with pytest.raises(TimeoutError):
        switch.recv(2048)
