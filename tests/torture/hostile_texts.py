"""Texts that would be something else than text to somebody: to AMI, the dialplan, a shell, SQL, a spreadsheet, a log.

`texts(canary)` say "make this file, this row of the switch's database, this global variable": `test_hostile_texts.py`
looks for all three afterwards. `attacks(body)` are the places of a body where such a text may stand.
"""

import copy
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEGABYTE = "x" * (1 << 20)
Place = tuple[Any, ...]     # keys and indices; behind KEY the name of a member itself
KEY = object()
# numbers with signs that part, join or evaluate dial strings
SIGNS = "&,/@;()${}[]|%#*:<>\"'\\!?=^~` \t\r\n\0\u00a0\u202e\u0664\uff14"
GOOD = "+493011100"
NUMBERS = (
    *(number for sign in SIGNS for number in (
        f"{GOOD}1{sign}PJSIP", f"{GOOD}1{sign}{GOOD}2", f"{sign}{GOOD}1", f"{GOOD}{sign}1", f"030{sign}111", sign * 5)),
    f"{GOOD}1@evil:5060", "sip:1@evil", "Local/s@rw-put", "${EXTEN}", "1&2", "1,30,g", "tel:+4930111", "+1" * 50,
    "+49 30 111001;ext=5", "++49301110", "+", "-", "()", "0" * 40, "\u0660\u0661\u0662", "anonymous", "")


@dataclass(frozen=True, slots=True)
class Canary:
    """What no text may bring into being. `mark` is in the name of each."""

    folder: Path
    mark: str = field(default_factory=lambda: f"rwc{secrets.token_hex(4)}")

    @property
    def file(self) -> Path:
        return self.folder / self.mark


def spoken(canary: Canary) -> str:
    """All of it in one line that any name or text may hold: no control characters, nothing that a placeholder is."""
    return (f"${{SHELL(touch {canary.file})}},DB({canary.mark}/k)=1;GLOBAL({canary.mark})=1&PJSIP/x|$(touch "
            f"{canary.file})`touch {canary.file}`")


def texts(canary: Canary) -> Sequence[str]:
    file, mark = canary.file, canary.mark
    header = f"Action: Originate\r\nChannel: Local/s@rw-idle\r\nApplication: System\r\nData: touch {file}\r\n\r\n"
    return (
        f"x\r\nVariable: DB({mark}/k)=1", f"x\nVariable: GLOBAL({mark})=1", f"x\r\n\r\n{header}", header,
        f"x\rVariable: DB({mark}/k)=1", f"x\u2028Variable: DB({mark}/k)=1", f"x\x85Variable: DB({mark}/k)=1",
        f"1,DB({mark}/k)=1", f"DB({mark}/k)=1", f"GLOBAL({mark})=1", f"1,GLOBAL({mark})=1", f"SHELL(touch {file})",
        f"${{SHELL(touch {file})}}", f"FILE({file},,,a)=x", f"1,FILE({file},,,a)=x", f"${{FILE({file},,,a)}}",
        f"${{GLOBAL({mark})}}", f"${{SET({mark}=1)}}", f"${{DB_DELETE({mark}/k)}}", f"$[1+1]{mark}",
        f"; touch {file}", f"`touch {file}`", f"$(touch {file})", f"| touch {file}", f"' --file {file}", f"-o {file}",
        f"../../../../..{file}", f"..%2f..%2f{file}", str(file), f"file://{file}", f"{mark}/../../x", "\\\\host\\c$",
        f"4930111@evil:5060&PJSIP/{mark}", "Local/s@rw-put", f'"{mark}" <sip:x@y>;tag=1', f"{mark}%0d%0aVia: x",
        "\0", f"x\0{mark}", "\ud800", "\udfff\ud800", "\ufffe\uffff", "\u202edrow\u202c", "\u200f\u200e",
        "\U0001f525" * 9, "a\u0301" * 50, "\x1b[31mred\x1b[0m", "\x7f", "\x00\x01\x02\x03", MEGABYTE,
        "\U0001f525" * 5000,
        "'; DROP TABLE contacts; --", "' OR '1'='1", "$1", "%s%n%x", "{0.__class__}", "{{7*7}}", "{place}{name}{",
        "[result:x][contact:phone]", "<speak><audio src='file:///etc/passwd'/></speak>", "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "", " ", "null", "-1", "1e400", "NaN",
    )


def attacks(body: Any, at: Place = ()) -> Iterator[Place]:
    """Every value of a body, and every name of a member."""
    if isinstance(body, Mapping):
        for name, value in body.items():
            yield (*at, KEY, name)
            yield from attacks(value, (*at, name))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from attacks(value, (*at, place))
    else:
        yield at


def with_text(body: Any, place: Place, text: Any) -> Any:
    """The body with this text at that place."""
    made = found = copy.deepcopy(body)
    *above, last = place
    is_name = above and above[-1] is KEY
    for step in above[:-1] if is_name else above:
        found = found[step]
    if is_name:
        found[text] = found.pop(last)
    else:
        found[last] = text
    return made


def told(place: Place) -> str:
    return ".".join("(name)" if it is KEY else str(it) for it in place)
