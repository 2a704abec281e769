"""Contacts as CSV, in and out: the columns, their rules, and what is wrong in which line. Pure; see `group_csv.py`.

In: with or without a header (without: the columns in our order; a file of one column is phones). Out: without one,
phones byte for byte as they came in, and other cells so that no spreadsheet takes them for formulas. What went out
comes in again as the same contacts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, BinaryIO

from pydantic import Field, TypeAdapter, ValidationError

from api.bulk_numbers import Numbers
from api.errors import ApiError, Invalid
from api.ictcore import csv_rows
from api.ictcore.csv_rows import DELIMITERS, Row, RowTooLong
from api.ictcore.fields import Description, Email, OneLine, Text
from engine.store.contact_import import ImportedContact

MOST_ROWS = 2_000_000
SHOWN_ERRORS = 100

PersonName = Annotated[OneLine, Field(max_length=64)]
Custom = Annotated[OneLine, Field(max_length=128)]
Address = Annotated[Text, Field(max_length=128)]
ContactEmail = Annotated[Email, Field(max_length=64)]
# as given: digits and the usual signs between them
ContactPhone = Annotated[str, Field(pattern=r"^( *\+?[0-9 ()/.\-]{1,31})?$", max_length=32)]

COLUMNS = ("phone", "first_name", "last_name", "email", "address", "custom1", "custom2", "custom3", "description")
_CELLS = TypeAdapter(
    tuple[ContactPhone, PersonName, PersonName, ContactEmail, Address, Custom, Custom, Custom, Description])
_PHONE = re.compile(r" *\+?[0-9 ()/.\-]*[0-9][0-9 ()/.\-]*")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PATTERNS = {"phone": "not a phone number", "email": "not an e-mail address"}
SAMPLE = (("03001234567", "Anna", "Muster", "anna@example.org", "Hauptstr. 1, 10115 Berlin", "", "", "", "a comment"),
          ("+4930555123", "Bert", "Muster", "bert@example.org", "", "one", "two", "three", ""))


class BadRows(ApiError):
    """412 with line, column and reason of each, up to `SHOWN_ERRORS`."""

    def __init__(self, problems: Sequence[str], *, are_all: bool = True) -> None:
        shown = "; ".join(problems)
        super().__init__(412, f"Data validation failed, nothing is imported: {shown}{'' if are_all else '; …'}")
        self.bad = tuple(problems)


def contacts(file: BinaryIO, encoding: str, country: str) -> Iterator[ImportedContact]:
    """The contacts of a file up to its first bad row, then no more. Raises BadRows at the end (of 100 bad ones)."""
    problems: list[str] = []
    count = 0
    try:
        for it in _read(file, encoding, country):
            if isinstance(it, list):
                problems += it
            elif not problems:
                yield it
            count += 1
            if count > MOST_ROWS:
                problems.append(f"more than {MOST_ROWS} rows")
            if len(problems) >= SHOWN_ERRORS or count > MOST_ROWS:
                raise BadRows(problems[:SHOWN_ERRORS], are_all=False)
    except RowTooLong as error:
        problems.append(f"line {error.line}: {error}")
    if problems:
        raise BadRows(problems)
    if count == 0:
        raise BadRows(["no rows"])


def _read(file: BinaryIO, encoding: str, country: str) -> Iterator[ImportedContact | list[str]]:
    delimiter = _delimiter(file, encoding)
    numbers = Numbers(country)
    order: Sequence[int] | None = None
    for n, row in enumerate(csv_rows.rows(file, encoding, delimiter)):
        if n == 0 and _is_header(row.cells):
            order = _order(row)
            continue
        yield _contact(row, order, numbers)


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """The one with which the first row that can be read looks like contacts, or has more columns; else the one behind
    which a quoted cell began that cannot be read."""
    def likeness(delimiter: str) -> tuple[bool, int, bool]:
        cells, is_misquoted = csv_rows.first_row(file, encoding, delimiter)
        is_contact = bool(cells) and _PHONE.fullmatch(cells[0]) is not None
        return is_contact or _is_header(cells), len(cells) if len(cells) > 1 else 0, is_misquoted
    return max(DELIMITERS, key=likeness)


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip()).lower()


def _is_header(cells: Sequence[str]) -> bool:
    """Names the phone's or the e-mail's column, and has nothing that could be one."""
    is_data = any(_PHONE.fullmatch(cell) or "@" in cell for cell in cells)
    return not is_data and not {"phone", "email"}.isdisjoint(map(_name, cells))


def _order(header: Row) -> Sequence[int]:
    """Where in a row each of our columns stands; -1: nowhere. Raises BadRows."""
    names = [_name(cell) for cell in header.cells]
    problems = [f"line {header.line}, column {n}: {name[:64]!r} is not one of {', '.join(COLUMNS)}"
                for n, name in enumerate(names, 1) if name and name not in COLUMNS]
    problems += [f"line {header.line}, column {n}: {name} is named twice"
                 for n, name in enumerate(names, 1) if name and name in names[:n - 1]]
    if problems:
        raise BadRows(problems[:SHOWN_ERRORS], are_all=len(problems) <= SHOWN_ERRORS)
    return [names.index(name) if name in names else -1 for name in COLUMNS]


def _contact(row: Row, order: Sequence[int] | None, numbers: Numbers) -> ImportedContact | list[str]:
    """Or all that is wrong with the row."""
    if row.problem:
        return [f"line {row.line}: {row.problem}"]
    cells = _ordered(row.cells, order)
    if any(cells[len(COLUMNS):]):
        if order is None:
            return [f"line {row.line}, column {len(COLUMNS) + 1}: more than {len(COLUMNS)} columns"]
        extra = next(n for n, cell in enumerate(row.cells) if cell and n not in order)
        return [f"line {row.line}, column {extra + 1}: a cell that belongs to no column of the header"]
    cells = [cells[0], *map(_unescaped, cells[1:len(COLUMNS)])]
    try:
        texts = _CELLS.validate_python(tuple(cells), strict=True)
        number = numbers.e164(texts[0], "phone") if texts[0].strip() else None
    except ValidationError as error:
        return [_told(row, order, int(it["loc"][0]), it["type"], it["msg"])
                for it in error.errors(include_url=False, include_input=False)]
    except Invalid as error:
        return [_told(row, order, 0, "", error.problems[0].problem)]
    if number is None and not cells[3]:
        return [_told(row, order, 0, "", "neither phone nor e-mail address")]
    return (row.line, texts[0], number, *texts[1:])


def _ordered(cells: Sequence[str], order: Sequence[int] | None) -> list[str]:
    """In the order of `COLUMNS`; what a row has beyond the header, or beyond the columns, comes behind."""
    if order is None:
        return [*cells, *[""] * (len(COLUMNS) - len(cells))]
    known = {*order}
    return [*(cells[n] if 0 <= n < len(cells) else "" for n in order),
            *(cell for n, cell in enumerate(cells) if n not in known)]


def _told(row: Row, order: Sequence[int] | None, column: int, kind: str, text: str) -> str:
    """`column` as in COLUMNS."""
    name = COLUMNS[column]
    place = column if order is None else order[column]
    if kind == "string_pattern_mismatch":
        text = _PATTERNS.get(name, "has control characters")
    elif kind == "string_unicode":
        text = "not readable as UTF-8 or Latin-1"
    return f"line {row.line}, column {place + 1} ({name}): {text}"


# --- out

def exported(rows: Iterable[Sequence[str]]) -> bytes:
    """`rows` as in `COLUMNS`."""
    return csv_rows.written([phone, *map(escaped, rest)] for phone, *rest in rows)


def escaped(cell: str) -> str:
    """So that no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
