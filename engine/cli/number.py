"""`ringward number add`: fills the pool that hotlines take their numbers from."""

import re
from typing import Annotated

import phonenumbers
import typer

from engine.cli.terminal import DEFAULT_HOME, Answer, Home, Json, answer, errors, with_directory
from engine.store.directory import PostgresDirectory
from engine.vocabulary.values import RingwardError

app = typer.Typer()


@app.callback()
def group() -> None:
    """A group, though of one command."""


@app.command()
def add(
    number: Annotated[str, typer.Argument(metavar="+4930…", help="In international form.")],
    home: Home = DEFAULT_HOME, as_json: Json = False,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="This many consecutive numbers.")] = 1,
) -> None:
    """Put numbers at the end of the pool. Those that are in it already stay where they are."""
    with errors(as_json):
        numbers = consecutive(number, count)

    async def work(directory: PostgresDirectory) -> Answer:
        return {"added": list(await directory.add_numbers(numbers))}

    answer(with_directory(home, as_json, work), as_json)


def consecutive(first: str, count: int) -> list[str]:
    """`count` possible numbers from `first` on, in E.164. Raises RingwardError."""
    try:
        if not re.fullmatch(r"\+[0-9 ()/.-]+", first):     # the library also reads letters, as on a telephone's keys
            raise phonenumbers.NumberParseException(phonenumbers.NumberParseException.NOT_A_NUMBER, first)
        parsed = phonenumbers.parse(first, None)
    except phonenumbers.NumberParseException:
        raise RingwardError(f"{first!r} is no number in international form, such as +493012345") from None
    digits = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    numbers = [f"+{int(digits) + offset:0{len(digits)}d}" for offset in range(count)]
    for number in (numbers[0], numbers[-1]):
        again = phonenumbers.parse(number, None)
        if again.country_code != parsed.country_code or not phonenumbers.is_possible_number(again):
            raise RingwardError(f"{number} is not a possible number")
    return numbers
