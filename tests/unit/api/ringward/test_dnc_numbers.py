"""Numbers of a do-not-call list, read from JSON and CSV."""

import io

import pytest

from api.ictcore.csv_rows import LONGEST_ROW
from api.ringward.dnc_numbers import SHOWN_ERRORS, of_csv, of_json
from api.ringward.frame import Refused


def read(text: str | bytes, encoding: str = "utf-8-sig") -> list[str]:
    return list(of_csv(io.BytesIO(text.encode() if isinstance(text, str) else text), encoding, "DE"))


def refused(numbers: list[str]) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as error:
        list(of_json(numbers, "DE"))
    return [(it.field, it.problem) for it in error.value.problems]


def test_national_forms_are_of_the_country() -> None:
    assert list(of_json(["030 555001", "0043 1 5880", "+1 (212) 555-1234"], "DE")) == [
        "+4930555001", "+4315880", "+12125551234"]


def test_everything_that_is_wrong_is_named() -> None:
    assert refused(["030 555001", "x", "", "12", "\u0661\u0662\u0663"]) == [
        ("numbers[1]", "not a phone number"), ("numbers[2]", "not a phone number"),
        ("numbers[3]", "not a possible phone number"), ("numbers[4]", "not a phone number")]


def test_of_very_many_the_first_hundred_are_named() -> None:
    assert len(refused(["x"] * 1000)) == SHOWN_ERRORS


@pytest.mark.parametrize("text", [
    "030555001", "030555001\r\n", "PHONE\n030555001\n", "a;Number\nb;030555001\n", "030555001,Anna,x\n",
    '"030555001"\n', "\n\n030555001\n"])
def test_the_column_is_found(text: str) -> None:
    assert read(text) == ["+4930555001"]


def test_other_columns_may_hold_anything() -> None:
    assert read('phone,note\n030555001,"a\nb;c"\n030555002,\n') == ["+4930555001", "+4930555002"]
    assert read("Straße;phone\nMüller;030555001\n".encode("latin-1"), "windows-1252") == ["+4930555001"]


@pytest.mark.parametrize(("text", "problem"), [
    ("030555001\nx\n", "not a phone number"), ("name;phone\nAnna\n", "not a phone number"),
    ('030555001\n"0305\n', "the quotation mark is not closed"),
    ('030555001\n"0305"6\n', "text behind the closing quotation mark"),
    ("030555001\n" + "1" * (LONGEST_ROW + 1),
     f"longer than {LONGEST_ROW} characters, or a quotation mark is not closed")])
def test_the_line_of_a_bad_one_is_named(text: str, problem: str) -> None:
    with pytest.raises(Refused) as error:
        read(text)
    assert [(it.field, it.problem) for it in error.value.problems] == [("line 2", problem)]
