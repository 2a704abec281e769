"""What `make torture` is to pytest: its options, seeds, what is left out of the short form, the last table.

Loaded by tests/conftest.py. Without `--torture` (as `make test` runs) tests marked `full` are skipped, each by name.
With it everything runs; a fault that this machine does not permit is `not run`, and makes the exit status 2. Figures
travel as properties of a test's report, so that they survive xdist.
"""

import dataclasses
import json
import random
import secrets
import subprocess
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.torture.report import Mutant, Report, Tally

REPORT = Path(__file__).parents[1] / "torture-report.json"
NOT_RUN = "not run: "
WIDE = 150
EXIT_NOT_RUN = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("torture")
    group.addoption("--torture", action="store_true", help="run the whole torture suite, not its short form")
    group.addoption("--torture-seed", type=int, default=None, help="repeat a run by the seed that it printed")
    group.addoption("--torture-minutes", type=float, default=5.0, help="how long the random mix goes on")
    group.addoption("--torture-all-queries", action="store_true", help="mutate every query, not some of them")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: only `make torture` runs it")
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.option.torture_seed = given["torture_seed"]
        return
    config.pluginmanager.register(Collector(config), "torture-collector")
    if config.option.torture_seed is None:
        config.option.torture_seed = secrets.randbelow(1 << 31)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Workers of xdist draw from the seed of the run."""
    node.workerinput["torture_seed"] = node.config.option.torture_seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"torture seed: {config.option.torture_seed}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.torture:
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason=f"only by make torture: {item.name}"))


class NotPermitted(Exception):
    """This machine does not permit it: why, in the system's own words."""


def not_run(reason: str) -> None:
    """This machine does not permit the fault: say so, and go on with the next test."""
    pytest.skip(NOT_RUN + reason)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Of this test in this run; printed, so that a failure can be repeated."""
    base: int = request.config.option.torture_seed
    mine = zlib.crc32(f"{base} {request.node.nodeid}".encode())
    print(f"--torture-seed {base}: this test's is {mine}")
    return mine


@pytest.fixture
def some(request: pytest.FixtureRequest, seed: int) -> Callable[[int], Sequence[int]]:
    """Of so many points, from 1: all in `make torture`, a third in `make test`, another third with every seed."""
    step = 1 if request.config.option.torture else 3
    return lambda points: range(1 + seed % step, points + 1, step)


@pytest.fixture
def rng(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """A test's line of the last table: it counts here what it did and what it saw."""
    mine = Tally(request.node.name, seed=int(request.config.option.torture_seed))
    yield mine
    request.node.user_properties.append(("tally", dataclasses.asdict(mine)))


class Collector:
    """Gathers the lines of all workers, prints the table, writes the report."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._report = Report(seed=0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "torture" not in report.nodeid:
            return
        if report.failed:
            self._report.failed.append(report.nodeid)
        if report.skipped and isinstance(report.longrepr, tuple) and NOT_RUN in report.longrepr[2]:
            self._report.not_run[report.nodeid] = report.longrepr[2].split(NOT_RUN, 1)[1]
        if report.when == "teardown":
            properties: list[tuple[str, Any]] = report.user_properties
            self._report.tallies += [Tally(**value) for name, value in properties if name == "tally"]
            self._report.mutants += [Mutant(**value) for name, value in properties if name == "mutant"]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._config.option.torture and self._report.not_run and exitstatus == 0:
            session.exitstatus = EXIT_NOT_RUN

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if not self._config.option.torture:
            return
        self._report.seed = self._config.option.torture_seed
        console = Console(width=max(WIDE, Console().width))
        self._report.show(console)
        REPORT.write_text(json.dumps({"commit": _commit(), **self._report.as_json()}, indent=1) + "\n")
        console.print(f"written: {REPORT.relative_to(Path.cwd()) if REPORT.is_relative_to(Path.cwd()) else REPORT}")


def _commit() -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
