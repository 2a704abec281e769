"""CSV as people have it: comma or semicolon, UTF-8 with or without BOM or Windows' Latin-1, every kind of line end,
quoted line breaks. Read by Python's `csv` on top of lines of bounded length; pure, called by `contact_csv.py`.

Invariant: whatever the file is, no more of it is in memory than one row of `LONGEST_ROW` characters.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from engine.vocabulary.values import RingwardError

LONGEST_ROW = 16_384        # characters; csv's own limit of a field is 131,072
DELIMITERS = (",", ";")
UTF_8 = "utf-8-sig"
LATIN_1 = "windows-1252"    # what is called Latin-1, and what Excel writes


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins, the first is 1. `problem`: why it cannot be read; then it has no cells."""

    line: int
    cells: Sequence[str]
    problem: str = ""


class RowTooLong(RingwardError):
    """So long that the file is likely no CSV; it is not read any further."""

    def __init__(self, line: int) -> None:
        super().__init__(f"longer than {LONGEST_ROW} characters, or a quotation mark is not closed")
        self.line = line


class _Lines:
    """The lines of a file, as long as the row that they make is not too long."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.row_length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.row_length += len(line)
        if self.row_length > LONGEST_ROW:
            raise RowTooLong(0)
        return line


def rows(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """From the beginning of the file; rows without any text are left out. Raises RowTooLong.

    What cannot be read in `encoding` becomes a lone surrogate, which is no text that could be stored.
    """
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
    try:
        yield from _rows(_Lines(text), delimiter)
    finally:
        text.detach()       # the file stays open


def _rows(lines: _Lines, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        lines.row_length = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except RowTooLong:
            raise RowTooLong(line) from None
        except csv.Error as error:
            yield Row(line, (), _PROBLEMS.get(str(error), str(error)))
            continue
        if any(cells):
            yield Row(line, cells)


_PROBLEMS = {"unexpected end of data": "the quotation mark is not closed",
             **{f"'{it}' expected after '\"'": "text behind the closing quotation mark" for it in DELIMITERS}}


def first_row(file: BinaryIO, encoding: str, delimiter: str) -> tuple[Sequence[str], bool]:
    """The cells of the first row that can be read, or none; and whether there are others before it. Raises RowTooLong.
    """
    is_misquoted = False
    for row in rows(file, encoding, delimiter):
        if row.cells:
            return row.cells, is_misquoted
        is_misquoted = True
    return (), is_misquoted


def written(cells: Iterable[Sequence[str]]) -> bytes:
    """Every cell quoted, in UTF-8."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(cells)
    return out.getvalue().encode()
