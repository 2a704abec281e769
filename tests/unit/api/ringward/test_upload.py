"""Which files are taken as recordings, and how a form is read."""

import struct
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import Invalid
from api.ringward.upload import duration_ms, form
from tests.directory_site import wav

TYPE = 'multipart/form-data; boundary="b"'


@pytest.mark.parametrize("rate, channels, width", [(8000, 1, 2), (4000, 1, 1), (44100, 2, 3), (96000, 6, 4)])
def test_pcm_of_all_widths_is_taken(rate: int, channels: int, width: int) -> None:
    assert duration_ms(wav(0.5, rate, channels, width)) == 500


@pytest.mark.parametrize("audio, problem", [
    (b"", "not a WAV"), (b"RIFF", "not a WAV"), (b"ID3\x04" + bytes(100), "not a WAV"), (wav(0), "empty"),
    (wav(0.1, 3999), "samples a second"), (wav(0.1, 96001), "samples a second"), (wav(600.1, 4000, 1, 1), "10 minutes"),
    (wav(1)[:-100], "ends before"), (wav(1)[:40], "not a WAV"), (bytes(20 * 1024 * 1024 + 1), "20 MB"),
    (wav(1)[:20] + struct.pack("<H", 3) + wav(1)[22:], "not a WAV"),        # floating point
    (wav(1)[:20] + struct.pack("<H", 7) + wav(1)[22:], "not a WAV"),        # µ-law
    (wav(1)[:34] + struct.pack("<H", 64) + wav(1)[36:], "64 bits"),         # more than the engine reads
    (wav(1)[:36] + bytes(8 * 1001) + wav(1)[36:], "1000 chunks"),
    (wav(1)[:22] + struct.pack("<H", 0) + wav(1)[24:], "not a WAV"),        # of no channel
])
def test_what_cannot_be_played_is_refused_and_said(audio: bytes, problem: str) -> None:
    with pytest.raises(Invalid) as caught:
        duration_ms(audio)
    assert caught.value.problems[0].field == "audio" and problem in caught.value.message


def test_ten_minutes_are_taken() -> None:
    assert duration_ms(wav(600, 4000, 1, 1)) == 600_000


@given(st.binary(max_size=80), st.integers(0, 60))
def test_no_bytes_make_it_fail_otherwise(junk: bytes, where: int) -> None:
    file = wav(0.01)
    try:
        assert duration_ms(file[:where] + junk + file[where + len(junk):]) >= 0
    except Invalid:
        pass


def test_a_form_has_fields() -> None:
    body = (b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\r\n'
            b'--b\r\ncontent-type: audio/wav\r\ncontent-disposition: form-data; name=audio; filename="x"\r\n\r\n'
            b'\r\n--a\r\n\x00--\r\n\r\n--b--\r\nepilogue')
    assert form(body, TYPE) == {"name": b"A", "audio": b"\r\n--a\r\n\x00--\r\n"}
    assert form(b"preamble\r\n" + body, TYPE)["name"] == b"A"


@pytest.mark.parametrize("body, content_type, field", [
    (b"--b--", "multipart/form-data", "Content-Type"), (b"", TYPE, "body"), (b"--b\r\n", TYPE, "body"),
    (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", TYPE, "body"),
    (b"--b\r\n\r\nx\r\n" * 50, TYPE, "body"), (b"--b--", 'multipart/form-data; boundary="é"', "Content-Type"),
])
def test_what_is_no_form_is_refused(body: bytes, content_type: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        form(body, content_type)
    assert caught.value.problems[0].field == field


def test_what_is_made_to_be_read_slowly_is_refused_at_once() -> None:
    """Parsed to its end each of them would stop the api for minutes."""
    header = b"--b\r\nContent-Disposition: form-data" + b";a" * 1_000_000 + b"\r\n\r\nx\r\n--b--"
    lines = b"--b\r\n" + b"a\r\n" * 1_000_000 + b"\r\nx\r\n--b--"
    chunks = wav(1)[:36] + bytes(2_000_000) + wav(1)[36:]
    began = perf_counter()
    for body in (header, lines):
        with pytest.raises(Invalid):
            form(body, TYPE)
    with pytest.raises(Invalid):
        duration_ms(chunks)
    assert perf_counter() - began < 0.2


@given(st.binary(max_size=200))
def test_no_form_makes_it_fail_otherwise(junk: bytes) -> None:
    for body in (junk, b"--b\r\n" + junk + b"\r\n--b--"):
        try:
            form(body, TYPE)
        except Invalid:
            pass
