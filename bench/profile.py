"""A process's profile by py-spy, one of the tests' packages. In a run of its own: it costs what it measures."""

import asyncio
import contextlib
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

SAMPLES_A_SECOND = 200
PROFILES = Path(__file__).parent / "profiles"   # of figures that fall short
_TITLE = re.compile(r'(<text id="title"[^>]*>)[^<]*')


@contextlib.asynccontextmanager
async def profiled(pid: int, seconds: float, file: str) -> AsyncIterator[None]:
    """Write a flame graph of the next seconds to `file`; nothing for ''. A `.txt` gets stacks with their counts."""
    if not file:
        yield
        return
    kind = "raw" if file.endswith(".txt") else "flamegraph"
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(pid), "--duration", str(round(seconds)),
        "--rate", str(SAMPLES_A_SECOND), "--format", kind, "--output", file, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    yield
    _, said = await process.communicate()
    if process.returncode:
        print(f"no profile: {said.decode().strip()[-300:]}", file=sys.stderr)
    elif kind == "flamegraph":
        _name(Path(file))


def _name(picture: Path) -> None:
    """What it shows, in the place of the command line by which it was made."""
    picture.write_text(_TITLE.sub(rf"\g<1>{picture.stem}", picture.read_text(), count=1))
