"""Numbers of a do-not-call list as a client sends them, in JSON or CSV: each as E.164, or what is wrong in which line.

Pure; runs in threads, because a list has a million. Called by `dnc_lists.py`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from api.bulk_numbers import Numbers
from api.errors import Invalid, Problem
from api.ictcore.csv_rows import RowTooLong, first_row, rows
from api.ringward.frame import Refused

SHOWN_ERRORS = 100
KIND = "invalid-number"
WRITTEN = re.compile(r" *\+?[0-9 ()/.\-]{1,40}", re.ASCII)
NAMES = ("phone", "number")


def of_json(numbers: Iterable[str], country: str) -> Iterator[str]:
    """Raises Refused at the end, for all that are no phone numbers."""
    return _read(((f"numbers[{n}]", text) for n, text in enumerate(numbers)), country)


def of_csv(file: BinaryIO, encoding: str, country: str) -> Iterator[str]:
    """The column `phone` or `number`, without such a header the first one. Raises Refused, as `of_json`."""
    return _read(_cells(file, encoding), country)


def _read(texts: Iterable[tuple[str, str] | Problem], country: str) -> Iterator[str]:
    reader, problems = Numbers(country), list[Problem]()
    for it in texts:
        if isinstance(it, Problem):
            problems.append(it)
            number = None
        else:
            number = _number(reader, *it, problems)
        if len(problems) >= SHOWN_ERRORS:
            break
        if number is not None and not problems:
            yield number
    if problems:
        first, *more = problems
        raise Refused(KIND, first.field, first.problem, *more)


def _number(reader: Numbers, field: str, text: str, problems: list[Problem]) -> str | None:
    if not WRITTEN.fullmatch(text):
        problems.append(Problem(field, "not a phone number"))
        return None
    try:
        return reader.e164(text, field)
    except Invalid as error:
        problems += error.problems
        return None


def _cells(file: BinaryIO, encoding: str) -> Iterator[tuple[str, str] | Problem]:
    """A cell and where it is, or why a row cannot be read."""
    try:
        delimiter = ";" if len(first_row(file, encoding, ";")[0]) > 1 else ","
        column = 0
        for n, row in enumerate(rows(file, encoding, delimiter)):
            names = [it.strip().lower() for it in row.cells]
            if n == 0 and (found := next((it for it in NAMES if it in names), None)):
                column = names.index(found)
                continue
            field = f"line {row.line}"
            if row.problem:
                yield Problem(field, row.problem)
            else:
                yield field, row.cells[column] if column < len(row.cells) else ""
    except RowTooLong as error:
        yield Problem(f"line {error.line}", str(error))
