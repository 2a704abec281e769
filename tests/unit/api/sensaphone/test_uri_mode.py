"""URI mode: what a path means in JSON mode."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sensaphone.frame import operations
from api.sensaphone.routes import RESOURCES
from api.sensaphone.uri_mode import PATHS, REQUEST_TYPES, Item, asked, segments, value

# as the contactgroup page of the vendor prints them, behind account and session
PRINTED: list[tuple[str, str, Item]] = [
    ("GET", "contactgroup", None),
    ("GET", "contactgroup/7/contacts/", {"group_id": "7", "contacts": None}),
    ("PUT", "contactgroup/7/name/Day", {"group_id": "7", "name": "Day"}),
    ("POST", "contactgroup/name/Day", {"name": "Day"}),
    ("POST", "contactgroup/7/users/user_id/8", {"group_id": "7", "users": [{"user_id": "8"}]}),
    ("POST", "contactgroup/7/contacts/contact_id/9", {"group_id": "7", "contacts": [{"contact_id": "9"}]}),
    ("DELETE", "contactgroup/7", {"group_id": "7"}),
    ("DELETE", "contactgroup/7/users/user_id/8", {"group_id": "7", "users": [{"user_id": "8"}]}),
    ("DELETE", "contactgroup/7/contacts/contact_id/9", {"group_id": "7", "contacts": [{"contact_id": "9"}]}),
]
TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
METHODS = st.sampled_from([*REQUEST_TYPES, "HEAD", "PATCH", ""])
# words of the table, and anything
SEGMENT = st.sampled_from(sorted({word for it in PATHS for word in it.segments} | {"%7B1%7D", "{", "%", ""})) | st.text(
    st.characters(max_codepoint=255), max_size=8)


@pytest.mark.parametrize("method, path, item", PRINTED)
def test_the_printed_paths(method: str, path: str, item: Item) -> None:
    found = asked(method, segments(f"/1/0123-4567/{path}"))
    assert found is not None
    assert found[1] == {"acctid": "1", "session": "0123-4567", "request_type": REQUEST_TYPES[method],
                        "contactgroup": item}


def test_a_log_in_has_no_account_in_front() -> None:
    for method in ("GET", "POST"):
        found = asked(method, segments("/login/%7Ba%40b.de%7D/p%2Fw/"))
        assert found is not None
        assert found[1] == {"request_type": "create", "user_name": "a@b.de", "password": "p/w"}
    assert asked("PUT", segments("/login/a/b")) is None


def test_a_word_goes_before_a_value() -> None:
    found = asked("GET", segments("/1/2/login/login_timestamp"))
    assert found is not None and found[1]["login"] == {"login_timestamp": None}


def test_every_path_is_an_operation_of_json_mode() -> None:
    assert RESOURCES
    for it in PATHS:
        assert operations.find(it.resource, "create" if it.is_open else REQUEST_TYPES[it.method])


@given(TEXT)
def test_a_value_is_read_as_it_was_written(text: str) -> None:
    assert value(quote("{" + text + "}", safe="")) == text
    assert value("{" + quote(text, safe="") + "}") == text
    if not (text.startswith("{") and text.endswith("}")) or text == "{":
        assert value(quote(text, safe="")) == text


@given(TEXT)
def test_a_name_survives_whatever_is_in_it(text: str) -> None:
    found = asked("POST", segments(f"/1/2/contactgroup/name/{quote('{' + text + '}', safe='')}/"))
    assert found is not None and found[1]["contactgroup"] == {"name": text}


@given(METHODS, st.lists(SEGMENT, max_size=9))
def test_every_path_means_something_or_nothing(method: str, given_: list[str]) -> None:
    found = asked(method, segments("/" + "/".join(given_)))
    if found is not None:
        path, body = found
        assert body["request_type"] in ("create", "read", "update", "delete") and path.method == method
