"""The encoder lets nothing through that is not plainly ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.switch.asterisk import encoder
from engine.switch.asterisk.encoder import NotEncodable, encode
from engine.vocabulary.values import RingwardError


def test_an_action_is_lines_and_an_empty_line() -> None:
    assert encode([("Action", "Ping"), ("ActionID", "1")]) == b"Action: Ping\r\nActionID: 1\r\n\r\n"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x7fb", "a\tb", "ä", "a" * 1000, "\x1b[m"])
def test_control_characters_and_long_lines_are_refused(value: str) -> None:
    with pytest.raises(NotEncodable) as refused:
        encode([("Action", "Setvar"), ("Value", value)])
    assert isinstance(refused.value, RingwardError)
    assert value not in str(refused.value)


def test_a_line_of_exactly_1000_bytes_passes() -> None:
    assert len(encode([("Value", "a" * (1000 - len("Value: ")))])) == 1004


@pytest.mark.parametrize("name", ["Act ion", "Action:", "A\r\nB", "", "Ä"])
def test_header_names_are_ours(name: str) -> None:
    with pytest.raises(NotEncodable):
        encode([(name, "x")])


@given(st.text())
def test_whatever_comes_an_action_never_becomes_two(text: str) -> None:
    try:
        data = encode([("Action", "Setvar"), ("Value", text)])
    except NotEncodable:
        return
    assert data.count(b"\r\n\r\n") == 1 and data.endswith(b"\r\n\r\n") and data.count(b"\n") == 3


@given(st.text())
def test_a_variable_carries_one_value_only(text: str) -> None:
    try:
        _, header = encoder.variable("RW_ASK", text)
    except NotEncodable:
        return
    assert re.fullmatch(r"RW_ASK=[0-9A-Za-z./_-]*", header)


@pytest.mark.parametrize("leg", ["6b8f6d0e-1111-4222-8333-444455556666", "1795291439.33477"])
def test_leg_ids_are_uuids_and_unique_ids(leg: str) -> None:
    assert encoder.leg_id(leg) == leg


@pytest.mark.parametrize("leg", ["", "x1", "6B8F6D0E-1111-4222-8333-444455556666", "1.2,3", "1795291439.33477\n",
                                 "6b8f6d0e-1111-4222-8333-44445555666", "../1.2"])
def test_other_leg_ids_are_refused(leg: str) -> None:
    with pytest.raises(NotEncodable):
        encoder.leg_id(leg)


@pytest.mark.parametrize("name", ["PJSIP/trunk-0000000a", "Local/s@rw-idle-00000001;2"])
def test_channel_names_pass(name: str) -> None:
    assert encoder.channel_name(name) == name


@pytest.mark.parametrize("name", ["", "PJSIP/a&PJSIP/b", "PJSIP/a,1", "PJSIP/${X}", "PJSIP/trunk-1;3", "PJSIP"])
def test_other_channel_names_are_refused(name: str) -> None:
    with pytest.raises(NotEncodable):
        encoder.channel_name(name)


@pytest.mark.parametrize("number", ["", "+4930", "49 30", "4930@x", "٤٩", "1" * 21])
def test_only_ascii_digits_are_numbers(number: str) -> None:
    with pytest.raises(NotEncodable):
        encoder.digits(number)


def test_rows_of_the_database_are_parted_by_colons() -> None:
    assert encoder.row("RW_V", "7:1:2:de:cache/a:de/ask") == ("Variable", "RW_V=7:1:2:de:cache/a:de/ask")
    with pytest.raises(NotEncodable):
        encoder.row("RW_V", "7,1")
    assert encoder.database_key("fb/1795295205.3/1795295205123-1795295205.4")
    for key in ("rw", "rw/", "RW/4930", "rw/4930)x", "rw/a/b/c/d"):
        with pytest.raises(NotEncodable):
            encoder.database_key(key)
