"""What a picture is, told by its own bytes: TIFF (as many pages as it has), PNG, JPEG. Pure.

References: TIFF 6.0, section 2; PNG (ISO 15948), 11.2.2; JPEG (ITU-T T.81), B.2.2.
"""

from dataclasses import dataclass
from typing import Literal

PNG = b"\x89PNG\r\n\x1a\n"
TIFFS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
MOST_PAGES = 10_000
_WIDTH, _HEIGHT, _SHORT = 256, 257, 3
_INT32 = 2**31 - 1


class NoPicture(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Picture:
    """`type`: its usual ending. The size is that of the first page, in dots."""

    type: str
    pages: int
    width: int
    height: int


def picture(data: bytes) -> Picture:
    """Raises NoPicture for what is none of the three, or ends too early."""
    if data.startswith(PNG) and data[12:16] == b"IHDR" and len(data) >= 33:
        found = Picture("png", 1, int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))
    elif data.startswith(b"\xff\xd8\xff"):
        found = _jpeg(data)
    elif data[:4] in TIFFS:
        found = _tiff(data, TIFFS[data[:4]])
    else:
        raise NoPicture("neither TIFF nor PNG nor JPEG")
    if not (0 < found.width <= _INT32 and 0 < found.height <= _INT32):
        raise NoPicture("without a size")
    return found


def _jpeg(data: bytes) -> Picture:
    """The first frame header (SOF0 to SOF15; C4, C8 and CC are others)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return Picture("jpg", 1, int.from_bytes(data[at + 7:at + 9]), int.from_bytes(data[at + 5:at + 7]))
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2:at + 4])
    raise NoPicture("a JPEG without a frame")


def _tiff(data: bytes, order: Literal["little", "big"]) -> Picture:
    """Its directories are the pages, each tells where the next one is."""
    def number(at: int, size: int) -> int:
        if at + size > len(data):
            raise NoPicture("a TIFF that ends too early")
        return int.from_bytes(data[at:at + size], order)

    def sizes(directory: int) -> dict[int, int]:
        entries = range(directory + 2, directory + 2 + 12 * number(directory, 2), 12)
        return {number(at, 2): number(at + 8, 2 if number(at + 2, 2) == _SHORT else 4) for at in entries
                if number(at, 2) in (_WIDTH, _HEIGHT)}

    first = at = number(4, 4)
    pages = 0
    while at:
        pages += 1
        if pages > MOST_PAGES:
            raise NoPicture("a TIFF without an end")
        at = number(at + 2 + 12 * number(at, 2), 4)
    if not pages:
        raise NoPicture("a TIFF without a page")
    tags = sizes(first)
    return Picture("tif", pages, tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0))
