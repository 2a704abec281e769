"""What every command shares: `--home`, `--json`, answers on stdout, everything else on stderr, errors as exit 1."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from engine.settings import Settings
from engine.store.directory import PostgresDirectory
from engine.store.pool import create_pool
from engine.vocabulary.values import RingwardError

T = TypeVar("T")
Answer = Mapping[str, Any]

Home = Annotated[Path, typer.Option("--home", envvar="RINGWARD_HOME", help="The folder of the system.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else there.")]
DEFAULT_HOME = Path(".runtime")

console = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Progress and remarks for people."""
    console.print(text, markup=False)


def answer(value: Answer | Sequence[Answer], as_json: bool) -> None:
    """The result of a command: JSON, or a line each of `name value` pairs."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
        return
    for row in [value] if isinstance(value, Mapping) else value:
        print("  ".join(f"{key} {_plain(field)}" for key, field in row.items()))


@contextmanager
def errors(as_json: bool = False) -> Iterator[None]:
    """What we raise on purpose is one line and exit status 1, never a traceback."""
    try:
        yield
    except RingwardError as error:
        text = str(error) or type(error).__name__
        if as_json:
            print(json.dumps({"error": text}, ensure_ascii=False))
        say(f"ringward: {text}")
        raise typer.Exit(1) from None


def load_settings(home: Path, **overrides: Any) -> Settings:
    """Raises RingwardError for a value that is none."""
    try:
        return Settings(home=home.expanduser().absolute(), **overrides)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise RingwardError(f"wrong settings: {wrong}") from None


def database_of(home: Path) -> str:
    """The address of the database of the system at `home`. Raises RingwardError when there is no system."""
    settings = load_settings(home)
    if not settings.database_url:
        raise RingwardError(f"no system is running at {settings.home}: start it with "
                            f"`ringward up --home {settings.home}`, or set DATABASE_URL")
    return settings.database_url


def with_directory(home: Path, as_json: bool, use: Callable[[PostgresDirectory], Coroutine[Any, Any, T]]) -> T:
    """Run `use` on the directory of the system at `home`."""
    async def run() -> T:
        async with directory(home) as found:
            return await use(found)

    with errors(as_json):
        return asyncio.run(run())
    raise AssertionError("unreachable")


@asynccontextmanager
async def directory(home: Path) -> AsyncIterator[PostgresDirectory]:
    pool = await create_pool(database_of(home), max_size=2)
    try:
        yield PostgresDirectory(pool)
    finally:
        pool.terminate()


def read_password() -> str:
    """One line of standard input."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise RingwardError("no password came on standard input")
    return password


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
