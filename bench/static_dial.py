"""The baselines of the hotline benches: a few lines of dialplan that ring the same phones, with no engine.

`rings` is a bare `Dial()`. `asks` answers the caller first and plays him music, as a hotline does; whoever answers is
asked for the 1 by a gosub before the two are joined.
"""

from collections.abc import Sequence

from bench.stage import Stage

RING_S = 30
CONFIRM = "bench-confirm"


async def rings(on: Stage, number: str, phones: Sequence[str]) -> None:
    await on.static(number, [f"Dial({_channels(on, phones)},{RING_S})"])


async def asks(on: Stage, number: str, phones: Sequence[str]) -> None:
    await on.static("s", [
        "Read(BENCH_D,${RW_SOUNDS}/de/ask,1,,1,3)", "GotoIf($[0${BENCH_D}=1]?4)", "Set(GOSUB_RESULT=CONTINUE)",
        "Return()"], CONFIRM)
    await on.static(number, ["Answer(,i)", f"Dial({_channels(on, phones)},{RING_S},m(default)U({CONFIRM}))"])


def _channels(on: Stage, phones: Sequence[str]) -> str:
    return "&".join(f"PJSIP/${{RW_VIA}}/sip:{phone}@{on.carrier.trunk}" for phone in phones)
