"""Who may import whom (ARCHITECTURE: the import rule). Read from the source, so that lazy imports count as well."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = sorted(file for package in ("engine", "api") for file in (PROJECT / package).rglob("*.py"))

# What is pure imports these of the standard library and nothing of the world outside.
DATA_TYPES = {
    "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "heapq", "itertools", "math", "operator",
    "typing",
}
PURE = ("engine.flows", "engine.policy", "engine.vocabulary")
ADAPTERS = {"engine.switch", "engine.speech", "engine.store"}
# Start, command line and phones: they may import anything, and nothing but each other imports them.
SHELLS = {"engine.runtime", "engine.cli", "engine.softphone", "engine.demo"}
EVERYWHERE = {"engine.vocabulary", "engine.ports", "engine.campaign_ports"}

# Of ours; what is not named here is the engine's core.
ALLOWED = {
    "engine.vocabulary": set(),
    "engine.ports": {"engine.vocabulary"},
    "engine.campaign_ports": {"engine.ports", "engine.vocabulary"},
    "engine.flows": {"engine.policy", "engine.vocabulary"},
    "engine.policy": {"engine.vocabulary"},
    "engine.switch": EVERYWHERE,
    "engine.sound": EVERYWHERE,
    "engine.speech": EVERYWHERE | {"engine.sound"},
    "engine.store": EVERYWHERE,
    "engine.settings": {"engine.policy", "engine.vocabulary"},
    "engine.log": set(),
    "api": {"engine.store", "engine.vocabulary", "engine.policy", "engine.ports", "engine.settings", "engine.log",
            "engine.sound"},
}


def part_of(module: str) -> str:
    """`engine.store.pool` belongs to `engine.store`; all of api is one part."""
    names = module.split(".")
    return "api" if names[0] == "api" else ".".join(names[:2])


def module_of(file: Path) -> str:
    names = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@cache
def imported(file: Path) -> frozenset[str]:
    return frozenset(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def ours(file: Path) -> set[str]:
    found = {part_of(name) for name in imported(file) if name.split(".")[0] in ("engine", "api")}
    return found - {part_of(module_of(file)), "engine"}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_imports_follow_the_rule(file: Path) -> None:
    part = part_of(module_of(file))
    if part in SHELLS or part in ("engine.app", "engine"):
        return
    core = {module_of(other) for other in SOURCES if other.parent == PROJECT / "engine"} - {"engine.app", "engine"}
    allowed = ALLOWED.get(part, core | {"engine.flows", "engine.policy"} | EVERYWHERE)
    assert ours(file) <= allowed, f"{part} must not import {ours(file) - allowed}"


@pytest.mark.parametrize("file", [file for file in SOURCES if module_of(file).startswith(PURE)],
                         ids=lambda file: str(file.relative_to(PROJECT)))
def test_flows_and_policies_know_no_world_outside(file: Path) -> None:
    others = {name.split(".")[0] for name in imported(file)} - {"engine"}
    assert others <= DATA_TYPES, f"{others - DATA_TYPES}"
    nodes = ast.walk(ast.parse(file.read_text()))
    assert not [node for node in nodes if isinstance(node, ast.Await | ast.AsyncFunctionDef)]


def test_only_the_application_brings_adapters_and_core_together() -> None:
    for file in SOURCES:
        part = part_of(module_of(file))
        if part not in SHELLS | ADAPTERS | {"engine.app", "api"}:
            assert not ours(file) & ADAPTERS, file
        if part not in SHELLS:
            assert not ours(file) & SHELLS, file


def test_one_file_imports_panoramisk_and_none_a_shell() -> None:
    importing = [module_of(file) for file in SOURCES if any(name.startswith("panoramisk") for name in imported(file))]
    assert len(importing) == 1
    assert importing[0].startswith("engine.switch.asterisk.")


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, engine.cli.main; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    assert not {"numpy", "aiohttp", "panoramisk", "aiosipua", "engine.app", "api.app"} & set(done.stdout.split())
