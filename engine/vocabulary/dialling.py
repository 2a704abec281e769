"""How a provider wants numbers: `remove|add` rewrites what a number begins with. Pure.

Written by `api/ictcore/providers.py`, applied where a dial string is made (`engine/switch/asterisk/orders.py`). Numbers
are E.164 digits; `49|0,|00` makes 030123 of 4930123, and 0043123 of 43123.
"""

from collections.abc import Sequence

LONGEST = 16        # digits that are removed or added

Rewrite = tuple[str, str]       # remove, add


def rewrites(prefix: str) -> tuple[Rewrite, ...]:
    """A comma list of `remove|add`; what has no bar is put in front of every number. Raises ValueError."""
    return tuple(_rewrite(entry) for entry in prefix.split(",")) if prefix else ()


def _rewrite(entry: str) -> Rewrite:
    remove, _, add = entry.partition("|") if "|" in entry else ("", "", entry)
    digits = remove + add
    if not (digits.isascii() and digits.isdecimal()) or max(len(remove), len(add)) > LONGEST:
        raise ValueError(f"a comma list of remove|add in digits, up to {LONGEST} each")
    return remove, add


def dialled(number: str, known: Sequence[Rewrite]) -> str:
    """By the entry that takes most away; a number that none fits is dialled as it is."""
    fits = [one for one in known if number.startswith(one[0])]
    if not fits:
        return number
    remove, add = max(fits, key=lambda one: len(one[0]))
    return add + number[len(remove):]
