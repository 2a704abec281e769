import numpy as np

from engine.softphone import audio, listening
from engine.softphone.audio import chirp, silence, tone


def test_a_sound_is_found_where_it_begins_whatever_its_loudness_and_polarity():
    recording = np.concatenate([silence(0.5), (chirp(1) * -0.2).astype(np.int16), chirp(2)])
    match = listening.find(chirp(1), recording)
    assert match.value > 0.99 and abs(match.offset_s - 0.5) < 0.001


def test_a_sound_outside_the_window_is_not_found():
    recording = np.concatenate([silence(3), chirp(1)])
    assert listening.correlation(chirp(1), recording, to_s=1) < 0.2
    assert listening.correlation(chirp(1), recording, from_s=2.5, to_s=3.5) > 0.99


def test_silence_matches_nothing():
    assert listening.correlation(chirp(1), silence(3)) == 0
    assert listening.correlation(chirp(1), silence(0)) == 0


def test_a_prompt_that_was_cut_off_is_still_heard(tmp_path):
    audio.write_wav(tmp_path / "prompt.wav", chirp(7, 6.0))
    recording = np.concatenate([silence(0.3), chirp(7, 6.0)[: 3 * 8000], tone(500, seconds=2)])
    heard = listening.hears(recording, tmp_path / "prompt.wav")
    assert heard and abs(heard.offset_s - 0.3) < 0.01
    assert listening.hears(recording, chirp(8, 6.0)) is None


def test_a_prompt_whose_first_packets_are_missing_is_still_heard():
    heard = listening.hears(chirp(7, 2.0)[320:], chirp(7, 2.0))
    assert heard and heard.value > 0.95 and abs(heard.offset_s + 0.04) < 0.001


def test_the_longest_silence_and_the_first_sound():
    recording = np.concatenate([silence(0.2), chirp(1, 1.0), silence(0.7), chirp(1, 1.0), silence(0.3)])
    assert abs(listening.longest_silence_s(recording) - 0.7) < 0.03
    assert abs(listening.first_sound_s(recording) - 0.2) < 0.03
    assert abs(listening.first_sound_s(recording, 1.25) - 1.9) < 0.03
    assert listening.first_sound_s(silence(1)) is None
    assert listening.longest_silence_s(silence(1)) == 1


def test_a_tone_is_told_from_its_neighbours():
    assert listening.is_tone(tone(700, seconds=0.02), 700)
    assert not listening.is_tone(tone(700, seconds=0.05), 770)
    assert not listening.is_tone(silence(0.1), 700)


def test_the_first_frame_of_a_repeated_sound_is_found():
    looped = np.tile(chirp(1, 1.0), 4)[1234:]  # it was being sent before anybody could hear it
    recording = np.concatenate([chirp(3, 0.8), looped[: 3 * 8000]])
    assert abs(listening.onset_s(chirp(1, 1.0), recording) - 0.8) <= 0.02
    assert listening.onset_s(chirp(2, 1.0), recording) is None
    recording[round(1.0 * 8000) : round(1.04 * 8000)] = 0  # two packets were lost
    assert abs(listening.onset_s(chirp(1, 1.0), recording) - 0.8) <= 0.02
