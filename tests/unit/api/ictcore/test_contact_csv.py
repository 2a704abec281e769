"""Contacts out of CSV and into it."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.ictcore import contact_csv
from api.ictcore.contact_csv import COLUMNS, SAMPLE, BadRows, contacts, exported
from api.ictcore.csv_rows import LATIN_1, LONGEST_ROW, UTF_8

FULL = "030 555-123,Anna,Ärmel,anna@example.org,\"Weg 1\nBerlin\",a,b,c,\"sagt \"\"ja\"\"\""
ANNA = ("030 555-123", "+4930555123", "Anna", "Ärmel", "anna@example.org", "Weg 1\nBerlin", "a", "b", "c",
        'sagt "ja"')


def read(data: str | bytes, encoding: str = UTF_8) -> list[tuple[object, ...]]:
    given = data if isinstance(data, bytes) else data.encode()
    return [row[1:] for row in contacts(io.BytesIO(given), encoding, "DE")]


def bad(data: str | bytes) -> list[str]:
    with pytest.raises(BadRows) as told:
        read(data)
    assert told.value.status == 412
    return list(told.value.bad)


def contact(phone: str = "", number: str | None = None, **texts: str) -> tuple[str | None, ...]:
    return (phone, number, *(texts.get(name, "") for name in COLUMNS[1:]))


@pytest.mark.parametrize("data", [
    FULL, FULL + "\n", "\ufeff" + FULL, FULL.replace(",", ";"), f"{','.join(COLUMNS)}\n{FULL}",
    f"Phone; First Name;last-name ;EMAIL;address;custom1;custom2;custom3;description\n{FULL.replace(',', ';')}",
    f"\n,,,\n{FULL},,\n;;\n".replace(";;", ",,"),
])
def test_a_contact_in_many_forms(data: str) -> None:
    assert read(data) == [ANNA]


def test_latin_1_is_read() -> None:
    assert read(FULL.encode("latin-1"), LATIN_1) == [ANNA]


def test_columns_of_a_header_may_stand_anywhere_and_be_missing() -> None:
    assert read("custom2,,phone\nx,,0301234567\n,,+43 1 4000\n") == [
        contact("0301234567", "+49301234567", custom2="x"), contact("+43 1 4000", "+4314000")]


@pytest.mark.parametrize("data, expected", [
    ("030 1234567\n+43 1 4000\n", [contact("030 1234567", "+49301234567"), contact("+43 1 4000", "+4314000")]),
    ("phone\n0049 30 1234567", [contact("0049 30 1234567", "+49301234567")]),
    (",Anna,,anna@example.org", [contact(first_name="Anna", email="anna@example.org")]),
    (";Anna;;anna@example.org", [contact(first_name="Anna", email="anna@example.org")]),
    ("email\nanna@example.org", [contact(email="anna@example.org")]),
    ('0301234567,"Muster; Anna"', [contact("0301234567", "+49301234567", first_name="Muster; Anna")]),
    ('0301234567;"Muster, Anna"', [contact("0301234567", "+49301234567", first_name="Muster, Anna")]),
    # the words of a header in a contact make no header of it
    ("0301234567,phone,email", [contact("0301234567", "+49301234567", first_name="phone", last_name="email")]),
    (" 030/1234567 ,", [contact(" 030/1234567 ", "+49301234567")]),
    ("0301234567,'=1+1,''@x,,'abc", [contact("0301234567", "+49301234567", first_name="=1+1", last_name="'@x",
                                              address="'abc")]),
])
def test_what_is_read(data: str, expected: list[tuple[str | None, ...]]) -> None:
    assert read(data) == expected


@pytest.mark.parametrize("data, expected", [
    ("", ["no rows"]), ("\n\n", ["no rows"]), (",".join(COLUMNS), ["no rows"]),
    ("12", ["line 1, column 1 (phone): not a possible phone number"]),
    ("Telefon\n0301234567", ["line 1, column 1 (phone): not a phone number"]),
    (",Anna", ["line 1, column 1 (phone): neither phone nor e-mail address"]),
    (FULL + "\n0301234567,Anna,,x", ["line 3, column 4 (email): not an e-mail address"]),
    ("first_name,email\nAnna,x\n,a@b,c", ["line 2, column 2 (email): not an e-mail address",
                                          "line 3, column 3: a cell that belongs to no column of the header"]),
    (f"0301234567,{'a' * 65}", ["line 1, column 2 (first_name): String should have at most 64 characters"]),
    (f"0301234567,a\0b,,x,{'a' * 129}", [
        "line 1, column 2 (first_name): has control characters", "line 1, column 4 (email): not an e-mail address",
        "line 1, column 5 (address): String should have at most 128 characters"]),
    ("0301234567,1,2,,4,5,6,7,8,9", ["line 1, column 10: more than 9 columns"]),
    ("phone,nick name,phone,email", ["line 1, column 2: 'nick_name' is not one of " + ", ".join(COLUMNS),
                                     "line 1, column 3: phone is named twice"]),
    ('0301234567,"a"b\n12\n', ["line 1: text behind the closing quotation mark",
                              "line 2, column 1 (phone): not a possible phone number"]),
    ('0301234567,"a"b\n', ["line 1: text behind the closing quotation mark"]),
    ('0301234567;"a"b\n', ["line 1: text behind the closing quotation mark"]),
    ('0301234567;Anna\n0301234567;"An\n', ["line 2: the quotation mark is not closed"]),
    ("12\n" + "x" * LONGEST_ROW + "x", [
        "line 1, column 1 (phone): not a possible phone number",
        f"line 2: longer than {LONGEST_ROW} characters, or a quotation mark is not closed"]),
])
def test_all_that_is_wrong_is_told_with_its_place(data: str, expected: list[str]) -> None:
    assert bad(data) == expected


def test_bytes_of_no_alphabet_are_named() -> None:
    with pytest.raises(BadRows) as told:
        read(b"0301234567,a\x81\xff", LATIN_1)
    assert told.value.bad == ("line 1, column 2 (first_name): not readable as UTF-8 or Latin-1",)


def test_the_first_hundred_bad_rows_are_told() -> None:
    for count in (100, 101):
        with pytest.raises(BadRows) as told:
            read("1\n" * count)
        assert len(told.value.bad) == 100 and told.value.message.endswith("…")
    assert len(bad("1\n" * 99)) == 99


def test_good_rows_are_told_up_to_the_first_bad_one() -> None:
    rows = contacts(io.BytesIO(b"0301234567\n1\n0301234568\n"), UTF_8, "DE")
    assert next(rows)[1] == "0301234567"
    with pytest.raises(BadRows):
        next(rows)


def test_there_is_a_limit_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_csv, "MOST_ROWS", 3)
    assert len(read("phone\n" + "0301234567\n" * 3)) == 3
    assert bad("0301234567\n" * 5) == ["more than 3 rows"]


def test_formulas_are_escaped_and_phones_are_not() -> None:
    row = ["+49 30 555", "=1+1", "+x", "-x", "@x", "'=x", "\tx", "'x", "x=1"]
    assert exported([row]) == b'"+49 30 555","\'=1+1","\'+x","\'-x","\'@x","\'\'=x","\'\tx","\'x","x=1"\n'


def test_the_sample_can_be_imported() -> None:
    assert [row[0] for row in read(exported(SAMPLE))] == [row[0] for row in SAMPLE]


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=64)
PHONES = st.from_regex(re.compile(r" {0,3}\+49[ /.-]{0,2}30[ ().-]{0,3}[0-9]{6,7}[ -]{0,2}", re.ASCII), fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n\r=+-@'"), max_size=128)
CONTACT = st.tuples(PHONES, LINE, LINE, st.sampled_from(["", "a@b.de", "=a@b.de"]), TEXT, LINE, LINE, LINE, TEXT)


@given(st.lists(CONTACT, min_size=1))
def test_what_was_exported_is_imported_as_the_same(people: list[tuple[str, ...]]) -> None:
    assert [(row[0], *row[2:]) for row in read(exported(people))] == people
