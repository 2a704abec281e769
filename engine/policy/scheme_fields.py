"""Fields of what an API took for a program, read with their bounds. Called by `scheme.py` and `scheme_graph.py`.

Numbers may be text; what is null or empty is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.vocabulary.values import RingwardError

LONGEST_TEXT = 1000         # characters that are spoken
LONGEST_NAME = 64
LARGEST_ID = 2**63 - 1
SHOWN = 40
DIGITS = frozenset("0123456789")
SIGNS = frozenset(" ()/.-")     # between the digits of a number


class SchemeInvalid(RingwardError):
    """`field` as a client would write it: `ivr_scheme.nodes.3.data.text`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Fields:
    """`path`: in front of every field's name, with a dot."""

    values: Mapping[str, Any]
    path: str = ""

    def first(self, *names: str) -> tuple[str, Any]:
        """The first of these names that says something, with what it says; else the first name and None."""
        return next(((name, it) for name in names if (it := self.values.get(name)) not in (None, "")), (names[0], None))

    def wrong(self, name: str, problem: str) -> SchemeInvalid:
        return SchemeInvalid(f"{self.path}{name}", problem)

    def whole(self, *names: str, low: int, high: int, default: int | None = None) -> int:
        name, value = self.first(*names)
        found = default if value is None else number_of(value)
        if found is None or not (low <= found <= high and found == int(found)):
            raise self.wrong(name, "is required" if value is None else f"must be a whole number from {low} to {high}")
        return int(found)

    def seconds(self, *names: str, longest: float, default: float | None = None, unit_s: float = 1.0) -> float:
        name, value = self.first(*names)
        found = default if value is None else number_of(value)
        if found is None or not 0 <= found * unit_s <= longest:
            raise self.wrong(name, "is required" if value is None else f"must be from 0 to {longest / unit_s:g}")
        return float(found * unit_s)

    def text(self, *names: str) -> str:
        """'' when there is none."""
        name, value = self.first(*names)
        found = written(value)
        if found is None:
            raise self.wrong(name, "must be text")
        if len(found) > LONGEST_TEXT:
            raise self.wrong(name, f"must have at most {LONGEST_TEXT} characters")
        if any((ord(it) < 0x20 and it not in "\t\r\n") or 0x7F <= ord(it) < 0xA0 for it in found):
            raise self.wrong(name, "must have no control characters")
        return found.strip()

    def name(self, default: str) -> str:
        found = written(self.values.get("name")) or default
        if len(found) > LONGEST_NAME or not found.isprintable() or set(found) & set("[]{}"):
            raise self.wrong("name", f"must have at most {LONGEST_NAME} characters, and no brackets")
        return found

    def recording(self, *names: str) -> int | None:
        return self.whole(*names, low=1, high=LARGEST_ID) if self.first(*names)[1] is not None else None


def number_of(value: Any) -> int | float | None:
    """None: it is no number."""
    if isinstance(value, str):
        value = value.strip()
        whole, point, rest = value.removeprefix("-").partition(".")
        if not set(whole + rest) <= DIGITS or not whole or len(value) > 20 or (point and not rest):
            return None
        return float(value) if point else int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63 else None


def written(value: Any) -> str | None:
    """Text, or a number as text; nothing is ''. None: it is neither."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def phone_digits(value: Any) -> str | None:
    """A number in E.164 as digits, with or without its plus and signs between. None: it is none."""
    text = (written(value) or "").strip().removeprefix("+")
    digits = "".join(it for it in text if it not in SIGNS)
    return digits if set(digits) <= DIGITS and 3 <= len(digits) <= 15 else None
