"""`make bench`: all benches one after the other, or those that are named.

Each is a module with `async def run(results) -> None`, which starts a system of its own on free ports and ends it. One
that breaks is told and stops no other; the exit status is then 1.
"""

import asyncio
import importlib
import sys
import time
import traceback

from rich.console import Console

from bench.plots import draw
from bench.results import Results

BENCHES = (
    "throughput", "long_messages", "engine_cost", "hotline", "flat_out", "alarm", "api", "contacts", "recovery",
    "live_calls")


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    results = Results.load(Console(width=max(150, Console().width)))
    broken = [name for name in names or BENCHES if not works(name, results)]
    draw(results.lines)
    results.write_page()
    if broken:
        print(f"broken: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def works(name: str, results: Results) -> bool:
    began = time.monotonic()
    try:
        asyncio.run(importlib.import_module(f"bench.{name}").run(results))
    except Exception:
        traceback.print_exc()
        return False
    finally:
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
