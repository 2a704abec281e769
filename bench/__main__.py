"""`make bench`: all benches one after the other, or those that are named.

Each is a module with `async def run(results) -> None`, which starts a system of its own on free ports and ends it.
"""

import asyncio
import importlib
import sys

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
    results = Results.load(Console())
    for name in names or BENCHES:
        asyncio.run(importlib.import_module(f"bench.{name}").run(results))
    results.write_page()
    draw(results.lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
