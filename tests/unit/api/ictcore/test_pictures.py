"""Pictures as they are uploaded: what is read out of them, and that nothing else is taken for one."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ictcore.pictures import MOST_PAGES, PNG, NoPicture, Picture, picture


def png(width: int = 30, height: int = 20) -> bytes:
    return PNG + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", width, height, 8, 2, 0, 0, 0, 0)


def jpeg(width: int = 30, height: int = 20) -> bytes:
    tables = b"\xff\xe0\x00\x04JF" + b"\xff\xc4\x00\x03x" + b"\xff"      # the last byte fills
    return b"\xff\xd8" + tables + b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"


def tiff(*sizes: tuple[int, int], order: str = "<", last: int = 0) -> bytes:
    """`last`: what the last page says of the next one."""
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 if sizes else 0)
    for n, (width, height) in enumerate(sizes, 1):
        short = struct.pack(f"{order}HH", height, 0)        # of two bytes, in the field's first half
        out += struct.pack(f"{order}HHHII", 2, 256, 4, 1, width) + struct.pack(f"{order}HHI", 257, 3, 1) + short
        out += struct.pack(f"{order}I", len(out) + 4 if n < len(sizes) else last)
    return out


@pytest.mark.parametrize(("data", "expected"), [
    (png(), Picture("png", 1, 30, 20)), (jpeg(), Picture("jpg", 1, 30, 20)),
    (tiff((1728, 2200)), Picture("tif", 1, 1728, 2200)),
    (tiff((204, 98), (1, 1), (1, 1), order=">"), Picture("tif", 3, 204, 98)),
])
def test_type_pages_and_size_are_read(data: bytes, expected: Picture) -> None:
    assert picture(data) == expected


@pytest.mark.parametrize(("data", "problem"), [
    (b"", "neither"), (b"GIF89a" + bytes(40), "neither"), (png()[:20], "neither"), (png(0, 20), "without a size"),
    (png(1 << 31, 1), "without a size"), (jpeg()[:20], "without a frame"), (b"\xff\xd8\xff\xd9", "without a frame"),
    (tiff(), "without a page"), (tiff((1, 1))[:-3], "too early"), (tiff((1, 1), last=8), "without an end"),
    (tiff((1, 1), last=1 << 31), "too early"),
])
def test_what_is_none_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(NoPicture, match=problem):
        picture(data)


def test_as_many_pages_as_a_fax_may_have_are_counted() -> None:
    assert picture(tiff(*[(1, 1)] * MOST_PAGES)).pages == MOST_PAGES


@given(st.sampled_from([b"", PNG + bytes(4) + b"IHDR", b"\xff\xd8\xff", b"II*\0", b"MM\0*"]), st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_none(begin: bytes, rest: bytes) -> None:
    try:
        found = picture(begin + rest)
    except NoPicture:
        return
    assert found.pages > 0 and found.width > 0 and found.height > 0
