"""A CSV file as it arrives, piece by piece."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ictcore.csv_body import LONGEST_LINE, Spool
from api.ictcore.csv_rows import LATIN_1, UTF_8


def spooled(*chunks: bytes) -> Spool:
    spool = Spool(io.BytesIO())
    for it in chunks:
        spool.add(it)
    spool.end()
    return spool


@pytest.mark.parametrize("chunks, encoding", [
    ([b"a"], UTF_8), ([b"\xef\xbb\xbfa"], UTF_8), (["ä".encode()[:1], "ä".encode()[1:]], UTF_8),
    (["ä".encode("latin-1")], LATIN_1), (["ä".encode(), b"\xe4"], LATIN_1), ([b"a", "ä".encode()[:1]], LATIN_1),
])
def test_the_bytes_say_what_the_alphabet_is(chunks: list[bytes], encoding: str) -> None:
    assert spooled(*chunks).encoding == encoding


@given(st.lists(st.text("aä\n\r", max_size=5).map(str.encode)))
def test_pieces_make_the_file(chunks: list[bytes]) -> None:
    spool = spooled(*chunks)
    assert isinstance(spool.file, io.BytesIO) and spool.file.getvalue() == b"".join(chunks)
    assert (spool.size, spool.encoding, spool.is_cut) == (len(b"".join(chunks)), UTF_8, False)


@pytest.mark.parametrize("chunks, is_cut", [
    ([b"x" * LONGEST_LINE], False), ([b"x" * (LONGEST_LINE + 1)], True), ([b"x" * LONGEST_LINE, b"x"], True),
    ([b"x" * LONGEST_LINE, b"\nx"], False), ([b"x\r" + b"x" * LONGEST_LINE, b"\r", b"x"], False),
    ([b"x\n" + b"x" * (LONGEST_LINE + 1) + b"\nx"], True), ([b"x\n" + b"x" * LONGEST_LINE, b"x\n"], True),
])
def test_a_line_may_be_too_long(chunks: list[bytes], is_cut: bool) -> None:
    assert spooled(*chunks).is_cut == is_cut


def test_what_is_cut_in_a_character_is_still_utf_8() -> None:
    assert spooled("ä".encode() * LONGEST_LINE + "ä".encode()[:1]).encoding == UTF_8
