"""The one place where an AMI action becomes bytes: whatever is not plainly ours is refused before anything is written.

Text from users never reaches the switch: what goes there is digits, ids, channel names and sound names, each of its
own alphabet. A second check on the finished lines (no control character, at most 1,000 bytes; Asterisk drops an action
with a line of 1,024) holds for all of them.
"""

import re
from collections.abc import Iterable

from engine.vocabulary.values import RingwardError

MAX_LINE = 1000
DIGITS = re.compile(r"[0-9]{1,20}")
SENT = re.compile(r"[0-9]{1,36}")       # digits, with what a provider wants in front
DIALLED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LEG = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{1,12}\.[0-9]{1,12}")
CHANNEL = re.compile(r"[A-Za-z0-9]{1,20}/[A-Za-z0-9@._-]{1,80}(;[12])?")
VALUE = re.compile(r"[0-9A-Za-z./_-]{0,900}")
ROW = re.compile(r"[0-9A-Za-z./_:-]{0,900}")
KEY = re.compile(r"[0-9a-z]{1,8}(/[0-9a-z._-]{1,80}){1,3}")
TRUNK = re.compile(r"[a-z0-9-]{1,20}")
ENDPOINT = re.compile(r"[a-z0-9-]{1,20}\.[0-9a-f]{8}")
PRESSED = re.compile(r"[0-9]")
PIN = re.compile(r"[0-9]{0,12}")
VOICE = re.compile(r"[a-z]{2}")
VERB = re.compile(r"[a-z]{1,10}")
FILE = re.compile(r"[0-9]{1,19}-[0-9]{1,6}")
HOST = re.compile(r"[0-9A-Za-z.-]{1,253}:[0-9]{1,5}|\[[0-9a-f:]{2,45}\]:[0-9]{1,5}")
_HEADER = re.compile(r"[A-Za-z0-9]{1,20}")


class NotEncodable(RingwardError):
    """A value that must not go to the switch. Nothing was written."""


Fields = Iterable[tuple[str, str]]


def checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    """The value itself if it is of this alphabet. The message names the kind, never the value."""
    if not pattern.fullmatch(value):
        raise NotEncodable(f"not a {what} that the switch may see ({len(value)} characters)")
    return value


def digits(value: str) -> str:
    return checked(DIGITS, value, "number")


def leg_id(value: str) -> str:
    return checked(LEG, value, "leg id")


def channel_name(value: str) -> str:
    return checked(CHANNEL, value, "channel name")


def variable(name: str, value: str) -> tuple[str, str]:
    """A `Variable` header of an `Originate`."""
    return "Variable", f"{name}={checked(VALUE, value, 'variable value')}"


def row(name: str, value: str) -> tuple[str, str]:
    """A `Variable` header that carries a row of the switch's own database: its fields are parted by colons."""
    return "Variable", f"{name}={checked(ROW, value, 'database row')}"


def database_key(value: str) -> str:
    return checked(KEY, value, "database key")


def encode(fields: Fields) -> bytes:
    """One action. Raises NotEncodable."""
    lines = []
    for name, value in fields:
        line = f"{name}: {value}"
        if not _HEADER.fullmatch(name) or not line.isprintable() or not line.isascii() or len(line) > MAX_LINE:
            raise NotEncodable(f"the header {name!r:.30} of an action is too long or holds a control character")
        lines.append(line)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
