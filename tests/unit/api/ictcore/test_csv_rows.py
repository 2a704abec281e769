"""CSV as people have it, row by row."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ictcore.csv_rows import LATIN_1, LONGEST_ROW, UTF_8, Row, RowTooLong, rows, written

CELLS = st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), min_size=1)


def read(data: bytes, encoding: str = UTF_8, delimiter: str = ",") -> list[Row]:
    return list(rows(io.BytesIO(data), encoding, delimiter))


@pytest.mark.parametrize("data, expected", [
    (b"", []),
    (b"a,b", [(1, ["a", "b"])]),
    (b"a,b\nc,d\n", [(1, ["a", "b"]), (2, ["c", "d"])]),
    (b"a\r\nb\rc\n", [(1, ["a"]), (2, ["b"]), (3, ["c"])]),
    (b'"a\r\nb",c\nd\n', [(1, ["a\r\nb", "c"]), (3, ["d"])]),
    (b'"a ""b"" c"," d "\n', [(1, ['a "b" c', " d "])]),
    (b'5" pipe,x\n', [(1, ['5" pipe', "x"])]),
    (b"\n\n,,\na\n\n", [(4, ["a"])]),
    (b"\xef\xbb\xbfa\n", [(1, ["a"])]),
    ("Müller,ä\n".encode(), [(1, ["Müller", "ä"])]),
    (b"a\0b\n", [(1, ["a\0b"])]),
])
def test_rows_and_their_lines(data: bytes, expected: list[tuple[int, list[str]]]) -> None:
    assert [(it.line, it.cells) for it in read(data)] == expected


def test_windows_own_latin_1_is_read() -> None:
    assert read("Jürgen;10 €\n".encode("cp1252"), LATIN_1, ";") == [Row(1, ["Jürgen", "10 €"])]
    assert read(b"a\x81\n", LATIN_1) == [Row(1, ["a\udc81"])]


def test_a_row_that_cannot_be_read_does_not_hide_the_others() -> None:
    assert read(b'a\n"b"c,d\ne\n"f') == [
        Row(1, ["a"]), Row(2, (), "text behind the closing quotation mark"), Row(3, ["e"]),
        Row(4, (), "the quotation mark is not closed")]
    assert read(b'"b"c;d\n', delimiter=";") == [Row(1, (), "text behind the closing quotation mark")]


@pytest.mark.parametrize("data, line", [
    (b"x" * LONGEST_ROW + b"x", 1), (b"a\n" + b"x" * (LONGEST_ROW + 1) + b"\nb", 2),
    (b'a\n\n"' + b"b\n" * LONGEST_ROW, 3), (b'"","\n",' * LONGEST_ROW, 1), (b"," * (LONGEST_ROW + 1), 1),
])
def test_a_row_has_a_longest_length(data: bytes, line: int) -> None:
    with pytest.raises(RowTooLong) as told:
        read(data)
    assert told.value.line == line


def test_the_longest_row_is_read() -> None:
    assert read(b"x" * (LONGEST_ROW - 1) + b"\ny") == [Row(1, ["x" * (LONGEST_ROW - 1)]), Row(2, ["y"])]


class Endless(io.RawIOBase):
    """A file of one line that never ends."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, *_: int) -> int:
        return 0

    def tell(self) -> int:
        return 0

    def readinto(self, buffer: memoryview) -> int:     # type: ignore[override]
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


def test_an_endless_line_is_not_read_into_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(RowTooLong):
            list(rows(io.BufferedReader(Endless()), UTF_8, ","))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_file_can_be_read_again() -> None:
    file = io.BytesIO(b"a\nb\n")
    assert [list(rows(file, UTF_8, ",")) for _ in range(2)] == [[Row(1, ["a"]), Row(2, ["b"])]] * 2


@given(CELLS)
def test_what_was_written_is_read_again(cells: list[list[str]]) -> None:
    assert [it.cells for it in read(written(cells))] == [row for row in cells if any(row)]
