"""JSON mode: where a body may be posted, and what the vendor's oddities in it mean."""

from typing import Any

import pytest

from api.errors import ApiError, Invalid
from api.sensaphone.json_mode import body, resource


@pytest.mark.parametrize("method, given, wanted", [
    ("POST", ["contactgroup"], "contactgroup"), ("POST", ["1", "s", "contactgroup"], "contactgroup"),
    ("POST", ["%7Bcontact%7D"], "contact"), ("POST", ["login"], "login"), ("POST", ["1", "s", "user"], "user"),
    ("GET", ["contactgroup"], None), ("POST", ["1", "contactgroup"], None), ("POST", [], None),
    ("POST", ["devicegroup"], None), ("POST", ["login", "a", "b"], None), ("POST", ["1", "s", "contact", "x"], None),
])
def test_where_a_body_may_be_posted(method: str, given: list[str], wanted: str | None) -> None:
    assert resource(method, given) == wanted


@pytest.mark.parametrize("said, meant", [
    ({"sessionid": "s"}, {"session": "s"}), ({"sessionid": "s", "session": "t"}, {"sessionid": "s", "session": "t"}),
    ({"request_type": "delete", "devicegroup": []}, {"request_type": "delete", "contactgroup": []}),
    ({"request_type": "create", "devicegroup": []}, {"request_type": "create", "devicegroup": []}),
    ({"request_type": "delete", "devicegroup": [], "contactgroup": []},
     {"request_type": "delete", "devicegroup": [], "contactgroup": []}),
    ({"request_type": ["delete"], "devicegroup": 1}, {"request_type": ["delete"], "devicegroup": 1}),
    ({"resource": "contactgroup"}, {"resource": "contactgroup"}), ({"resource": None}, {"resource": None}),
])
def test_oddities(said: dict[str, Any], meant: dict[str, Any]) -> None:
    before = dict(said)
    assert body("contactgroup", ["contactgroup"], said) == meant
    assert said == before


def test_account_and_session_of_the_path_count_and_must_agree() -> None:
    path = ["%7B1%7D", "s", "contactgroup"]
    assert body("contactgroup", path, {}) == {"acctid": "1", "session": "s"}
    assert body("contactgroup", path, {"acctid": 1, "session": "s"}) == {"acctid": 1, "session": "s"}
    for wrong, name in (({"acctid": 2}, "acctid"), ({"session": "t"}, "session"), ({"session": None}, "session")):
        with pytest.raises(Invalid, match=f"^{name}: "):
            body("contactgroup", path, wrong)


@pytest.mark.parametrize("said", [None, [], "x", 1, True])
def test_what_is_no_object_is_refused(said: Any) -> None:
    with pytest.raises(ApiError, match="must be a JSON object"):
        body("contactgroup", ["contactgroup"], said)


def test_another_resource_than_the_paths_is_refused() -> None:
    with pytest.raises(Invalid, match="resource: must be contact,"):
        body("contact", ["contact"], {"resource": "user"})
