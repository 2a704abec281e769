import numpy as np

from engine.softphone.audio import chirp
from engine.softphone.g711 import PCMA
from engine.softphone.recording import Packet, Recording

FRAME = chirp(1, 0.02)


def recorded(*packets: tuple[float, int, int]) -> Recording:
    """(arrival, ssrc, timestamp) each."""
    recording = Recording()
    for at, ssrc, timestamp in packets:
        recording.add(Packet(at, ssrc, timestamp, 8, PCMA.encode(FRAME)))
    return recording


def test_packets_in_a_row_are_joined():
    assert recorded((1.00, 1, 0), (1.02, 1, 160), (1.04, 1, 320)).pcm().size == 480


def test_late_packets_make_no_hole():
    assert recorded((1.00, 1, 0), (1.07, 1, 160), (1.07, 1, 320)).pcm().size == 480


def test_packets_after_a_standstill_come_all_at_once_and_make_no_hole():
    assert recorded((1.00, 1, 0), (1.50, 1, 160), (1.50, 1, 320), (1.50, 1, 480)).pcm().size == 640


def test_a_pause_is_as_long_as_the_timestamps_say():
    assert recorded((1.0, 1, 0), (1.51, 1, 4000)).pcm().size == 4160


def test_a_timestamp_that_jumps_is_not_believed():
    assert recorded((1.0, 1, 0), (1.02, 1, 4_000_000)).pcm().size == 320


def test_another_source_goes_by_arrival():
    assert recorded((1.0, 1, 0), (1.02, 2, 77)).pcm().size == 320
    assert recorded((1.0, 1, 0), (2.0, 2, 77)).pcm().size == 8000 - 8000 % 160 + 160


def test_a_part_by_time_and_when_it_came():
    recording = recorded((1.00, 1, 0), (1.02, 1, 160), (1.04, 1, 320))
    assert recording.pcm(1.01, 1.03).size == 160
    assert [recording.stretch().arrived_at(offset_s) for offset_s in (0.0, 0.019, 0.02, 0.05)] == [1.0, 1.0, 1.02, 1.04]
    assert recording.longest_gap_s < 0.021 and recording.started_at == 1.0
    assert np.array_equal(recording.pcm()[:160], PCMA.decode(PCMA.encode(FRAME)))
