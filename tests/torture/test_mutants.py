"""Who watches the tests: a guard is taken out of a copy of the product, and its tests must turn red.

The copy is what git tracks (and what is new beside it), as it is in this folder now. Its own tests run in it, in a
process of their own.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.torture.mutants import ISOLATION, MUTANTS, QUERIES, Mutant, without_organisation_in
from tests.torture.report import Mutant as Killed

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)       # several test runs each
FAST = "ChannelId removed"
SAMPLE = 6


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=PROJECT,
                            capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    where = _python(folder, "-c", "import engine, api; print(engine.__file__, api.__file__)").stdout.split()
    assert all(path.startswith(f"{folder}/") for path in where), where
    return folder


@pytest.mark.parametrize(
    "mutant", [pytest.param(one, id=one.name, marks=() if one.name == FAST else pytest.mark.full) for one in MUTANTS])
def test_without_this_guard_the_suite_turns_red(mutant: Mutant, copy: Path, request: pytest.FixtureRequest) -> None:
    _dies(mutant, copy, request)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some of the queries, others with every seed; with --torture-all-queries each of them (an hour)."""
    if "query" in metafunc.fixturenames:
        options = metafunc.config.option
        chosen = random.Random(options.torture_seed).sample(QUERIES, SAMPLE)
        metafunc.parametrize("query", QUERIES if options.torture_all_queries else sorted(chosen))


@pytest.mark.full
def test_without_the_organisation_a_query_is_noticed(
    query: str, copy: Path, request: pytest.FixtureRequest,
) -> None:
    _dies(without_organisation_in(query), copy, request)


@pytest.mark.full
def test_with_all_guards_the_same_tests_are_green(copy: Path) -> None:
    named = sorted({test for mutant in MUTANTS for test in mutant.killers} | {*ISOLATION})
    ran = _tests(copy, *named)
    assert ran.returncode == 0, ran.stdout[-3000:]


def _dies(mutant: Mutant, copy: Path, request: pytest.FixtureRequest) -> None:
    with _mutated(mutant, copy):
        ran = _tests(copy, "-x", *mutant.killers)
    killed = ran.returncode == 1
    by = next((line.split(" - ")[0] for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    request.node.user_properties.append(("mutant", asdict(Killed(mutant.name, killed, by))))
    assert killed, f"ALIVE: {mutant.name}\n{ran.stdout[-2000:]}{ran.stderr[-500:]}"


@contextmanager
def _mutated(mutant: Mutant, copy: Path) -> Iterator[None]:
    path = copy / mutant.file
    text = path.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.name}: {mutant.file} has its text {text.count(mutant.old)} times"
    assert mutant.old != mutant.new
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        path.write_text(text)


def _tests(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return _python(copy, "-m", "pytest", "-q", "-rfE", "-n", "0", "-p", "no:cacheprovider", "--torture", *arguments)


def _python(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """In the copy, before whatever else is installed by the same name."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    environment = {**clean, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True,
                          timeout=300, check=False)
