"""What every command shares: `--home`, `--json`, answers on stdout, everything else on stderr, errors as exit 1."""

import asyncio
import json
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import phonenumbers
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
    """What we raise on purpose, and what the machine refuses, is one line and exit status 1, never a traceback."""
    try:
        yield
    except (RingwardError, OSError) as error:
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
    except tomllib.TOMLDecodeError as error:
        raise RingwardError(f"wrong settings: config/ringward.toml is no TOML: {error}") from None


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


def a_name(text: str) -> str:
    """A name as the API takes it: one line that says something."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("a name is one line, and not empty")
    return text


def a_language(text: str) -> str:
    """One that there are recorded prompts and a voice for."""
    from engine.speech.voice import LANGUAGES  # it brings numpy along

    if text not in LANGUAGES:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(LANGUAGES)}")
    return text


def a_country(text: str) -> str:
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise typer.BadParameter(f"{text!r} is no country of ISO 3166-1, such as DE")
    return text.upper()


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
