"""The second step of `make setup`: Asterisk, and with `--tests` the tools of the tests. Seconds when all is there."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from engine.runtime.asterisk_package import find_asterisk, tools_of_tests
from engine.runtime.debian_package import Report
from engine.runtime.folders import RuntimeFailed
from engine.runtime.postgres import embedded_binaries, machine_binaries


@contextmanager
def progress(console: Console) -> Iterator[Report]:
    """Shows what a slow step does: a spinner on a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield lambda text: console.print(f"  {text}", highlight=False, markup=False)
        return
    with console.status("") as status:
        yield status.update


def main() -> int:
    console = Console(stderr=True, soft_wrap=True)
    try:
        with progress(console) as report:
            find_asterisk(report=report)
            if "--tests" in sys.argv:
                tools_of_tests(report=report)
        if not machine_binaries() and not embedded_binaries():
            raise RuntimeFailed("no Postgres: delete .venv and run `make setup`, or install the package postgresql")
    except RuntimeFailed as error:
        console.print(f"setup: {error}", highlight=False, markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
