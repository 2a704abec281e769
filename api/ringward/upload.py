"""An uploaded recording: the WAV file out of the body, and whether it is one that can be played. Pure.

A body is the file itself, or a form (`multipart/form-data`, RFC 7578) with the fields `audio` and `name`.
"""

import io
import re
import wave
from collections.abc import Iterator, Mapping
from email.message import Message

from api.errors import Invalid

WAV_TYPES = ("audio/wav", "audio/x-wav", "audio/vnd.wave")
FORM_TYPE = "multipart/form-data"
LARGEST = 20 * 1024 * 1024      # bytes of the file
LONGEST_S = 600
RATES = range(4000, 96001)      # samples a second that the engine reads
WIDTHS = range(1, 5)            # bytes of one number, as well
MOST_PARTS = 20
HEAD_BYTES = 4096               # of a part's headers, which are read by a parser that is slow with long ones
MOST_CHUNKS = 1000              # of a file: who reads one looks at each
_BLOCK = 65536


def duration_ms(audio: bytes) -> int:
    """How long a WAV file plays. Raises Invalid for what cannot be played, or is too large or too long."""
    if len(audio) > LARGEST:
        raise Invalid("audio", f"larger than {LARGEST // 1024 // 1024} MB")
    _check_chunks(audio)
    try:
        with wave.open(io.BytesIO(audio), "rb") as file:
            rate, frames = file.getframerate(), file.getnframes()
            if file.getsampwidth() not in WIDTHS:
                raise Invalid("audio", f"{8 * file.getsampwidth()} bits a sample; 8 to {8 * WIDTHS[-1]} are played")
            if rate not in RATES:
                raise Invalid("audio", f"{rate} samples a second; {RATES.start} to {RATES.stop - 1} are played")
            if frames > LONGEST_S * rate:
                raise Invalid("audio", f"longer than {LONGEST_S // 60} minutes")
            if frames == 0:
                raise Invalid("audio", "empty")
            if _frames(file) < frames:
                raise Invalid("audio", "the file ends before its sound does")
    except (wave.Error, EOFError, RuntimeError) as error:       # RuntimeError: a chunk that reaches behind the end
        raise Invalid("audio", f"not a WAV file with PCM: {error or 'it ends too early'}") from None
    return frames * 1000 // rate


def _check_chunks(audio: bytes) -> None:
    """Raises Invalid when the sound comes after very many other chunks."""
    at, chunks = 12, 0
    while at + 8 <= len(audio) and audio[at:at + 4] != b"data":
        size = int.from_bytes(audio[at + 4:at + 8], "little")
        at, chunks = at + 8 + size + size % 2, chunks + 1
        if chunks > MOST_CHUNKS:
            raise Invalid("audio", f"more than {MOST_CHUNKS} chunks before its sound")


def _frames(file: wave.Wave_read) -> int:
    """How many are there; the header only says it."""
    octets = 0
    while block := file.readframes(_BLOCK):
        octets += len(block)
    return octets // (file.getnchannels() * file.getsampwidth())


def form(body: bytes, content_type: str) -> Mapping[str, bytes]:
    """The fields of a form by their names; of one given twice, the first. Raises Invalid."""
    boundary = _parameters("Content-Type", content_type).get_param("boundary")
    if not isinstance(boundary, str) or not re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,69}", boundary):
        raise Invalid("Content-Type", "the boundary of the form is missing")
    fields: dict[str, bytes] = {}
    for name, value in _parts(body, boundary.encode()):
        fields.setdefault(name, value)
    return fields


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """RFC 2046, 5.1.1. A boundary cannot stand in a part: so nothing needs to be read but boundaries and headers."""
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MOST_PARTS + 1)
    for part in parts:
        if part.startswith(b"--"):
            return
        head, blank, value = part.partition(b"\r\n\r\n")
        if not blank or len(head) > HEAD_BYTES:
            break
        yield _field(head), value
    raise Invalid("body", "not a complete form")


def _field(head: bytes) -> str:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            name = _parameters("Content-Disposition", value.strip()).get_param("name", header="Content-Disposition")
            return name if isinstance(name, str) else ""
    return ""


def _parameters(header: str, value: str) -> Message:
    message = Message()
    message[header] = re.sub(r"[\r\n]", " ", value)
    return message
