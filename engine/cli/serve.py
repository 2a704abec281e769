"""The commands that serve (`up`, `engine`, `api`, `asterisk`), and those for who runs the system."""

import asyncio
import inspect
import os
from collections.abc import Coroutine
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from engine.cli.terminal import DEFAULT_HOME, Home, Json, answer, database_of, errors, load_settings, say
from engine.vocabulary.values import RingwardError

Address = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Port 0 means a free one.")]


def up_command(
    home: Home = DEFAULT_HOME, api: Address = None, sip: Address = None,
    trunk: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The carrier; its address is trusted.")] = None,
    switch: Annotated[str | None, typer.Option(metavar="NAME", help="asterisk, or memory.")] = None,
    no_restart: Annotated[bool, typer.Option("--no-restart", help="A part that ends stays ended.")] = False,
) -> None:
    """Serve in the foreground: postgres, asterisk, engine and api. Ctrl-C ends it, a second one at once."""
    from engine.runtime.up import up

    options = {"api": api, "sip": sip, "trunk": trunk, "switch": switch}
    given = {name: value for name, value in options.items() if value is not None}
    with errors():
        load_settings(home, **given)    # a wrong one is said before anything starts
        up(home, given, restarts=not no_restart, say=say, ready=lambda line: print(line, flush=True))


def engine_command(home: Home = DEFAULT_HOME) -> None:
    """Run one engine alone, by the settings of --home and the variables."""
    _run("engine.app", home)


def api_command(home: Home = DEFAULT_HOME) -> None:
    """Run one api alone, by the settings of --home and the variables."""
    _run("api.app", home)


def asterisk_command(home: Home = DEFAULT_HOME) -> None:
    """Run one Asterisk alone, configured by the settings of --home and the variables (as in compose.yaml)."""
    from engine.runtime.asterisk import prepare
    from engine.runtime.asterisk_package import find_asterisk
    from engine.runtime.folders import open_home

    with errors():
        settings = load_settings(home)
        for secret in ("ami_secret", "ari_secret"):
            if not getattr(settings, secret):
                raise RingwardError(f"RINGWARD_{secret.upper()} is not set: the engine needs the same one")
        argv = prepare(open_home(home), settings, find_asterisk(report=say))
        os.chdir("/")
        os.execv(argv[0], argv)  # noqa: S606 -- ours, no shell


def migrate_command(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Bring the database up to date."""
    from engine.store.migrate import migrate

    with errors(as_json):
        answer({"applied": asyncio.run(migrate(database_of(home)))}, as_json)


def doctor_command(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Say what is missing or wrong, and the command that mends it. Exit status 1 if anything is."""
    from engine.runtime.doctor import examine

    with errors(as_json):
        findings = asyncio.run(examine(load_settings(home)))
    if as_json:
        answer({"ok": not findings, "findings": [
            {"part": found.part, "problem": found.problem, "mend": found.mend} for found in findings]}, True)
    else:
        for found in findings:
            print(f"{found.part}: {found.problem}\n    {found.mend}")
        if not findings:
            print("all is well")
    if findings:
        raise typer.Exit(1)


def _run(module: str, home: Path) -> None:
    """`run(settings)` of engine.app or api.app, which the command line must not import before it is asked for."""
    from engine import log
    from engine.runtime.asterisk import link_sounds
    from engine.runtime.folders import open_home

    with errors():
        link_sounds(open_home(home))
        settings = load_settings(home)
        log.setup(settings.log_level)
        result = import_module(module).run(settings)
        status = _finished(result) if inspect.iscoroutine(result) else result
    raise typer.Exit(status or 0)


def _finished(work: Coroutine[Any, Any, int]) -> int:
    """On a loop that takes a quarter less of the CPU than asyncio's own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
