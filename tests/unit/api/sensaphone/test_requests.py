"""Whatever a request says, it is read or refused in words; nothing else is raised (a 500). Without a server."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.errors import ApiError, invalid
from api.sensaphone import json_mode, mapping, uri_mode
from api.sensaphone.frame import operations
from api.sensaphone.results import STYLE
from api.sensaphone.routes import RESOURCES
from api.sensaphone.schemas import CreateContacts, CreateGroups, DeleteGroups, Head

NAMES = st.sampled_from([
    "acctid", "session", "sessionid", "request_type", "resource", "contactgroup", "devicegroup", "contact", "user",
    "login", "group_id", "name", "contacts", "users", "contact_id", "user_id", "destination", "description", "enable",
    "type", "schedule", "user_name", "password", "x"])
WORDS = ["create", "read", "update", "delete", "1", "Night", "030 555123", "a@b", "\ud800", "x" * 10_000]
LEAVES = (st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(WORDS))
VALUES = st.recursive(
    LEAVES, lambda it: st.lists(it, max_size=3) | st.dictionaries(NAMES, it, max_size=4), max_leaves=12)
# such as may well be right, with something else in their places
LIKELY = st.fixed_dictionaries(
    {"acctid": st.just(1) | VALUES, "session": st.just("s") | VALUES,
     "request_type": st.sampled_from(["create", "read", "update", "delete"])},
    optional={"contactgroup": VALUES, "contact": VALUES, "user": VALUES, "login": VALUES, "devicegroup": VALUES})


def read(resource: str, body: dict[str, Any]) -> None:
    """As the door and the modules do, up to the database."""
    operation = operations.find(resource, body.get("request_type"))
    try:
        if not operation.is_open:
            Head.model_validate(body)
        request = operation.model.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None
    match request:
        case CreateGroups():
            for n, it in enumerate(request.contactgroup):
                mapping.changed_group(1, mapping.wanted_group(n, it))
        case DeleteGroups():
            mapping.leaving(request.contactgroup)
        case CreateContacts():
            for n, one in enumerate(request.contact):
                mapping.contact_data(n, one, "DE")


def refused(error: ApiError) -> None:
    answer = STYLE.answer(error)
    assert answer.status == 200 and answer.body, error


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(json_mode.RESOURCES), VALUES | LIKELY)
def test_every_body_is_read_or_refused(resource: str, said: Any) -> None:
    assert RESOURCES
    try:
        read(resource, json_mode.body(resource, [resource], said))
    except ApiError as error:
        refused(error)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(uri_mode.PATHS), st.lists(st.binary(max_size=6), min_size=7, max_size=7))
def test_every_value_in_a_path_is_read_or_refused(path: uri_mode.Path, values: list[bytes]) -> None:
    """The longest path has seven segments."""
    quoted = ["".join(f"%{byte:02x}" for byte in it) for it in values]
    given_ = [quoted[n] if it.startswith("{") else it for n, it in enumerate(path.pattern.split("/"))]
    found = uri_mode.asked(path.method, given_)
    if found is not None:
        try:
            read(found[0].resource, found[1])
        except ApiError as error:
            refused(error)
