"""The table of result codes: what each kind of failure is told as."""

import json

import pytest

from api.errors import ApiError, Invalid, NotFound, told
from api.sensaphone.results import STYLE, Code, Failure, missing, succeeded
from engine.store.directory_port import StoreFailed


@pytest.mark.parametrize("error, status, code", [
    (Failure(Code.SESSION, "x"), 200, 2), (missing("group_id", 5, "group"), 200, 4),
    (Invalid("name", "is missing"), 200, 5),
    (ApiError(400, "body: not valid JSON"), 200, 1), (ApiError(401, "x"), 200, 3), (ApiError(403, "x"), 200, 3),
    (ApiError(423, "x"), 200, 3), (ApiError(412, "x"), 200, 5), (ApiError(413, "x"), 200, 1),
    (ApiError(408, "x"), 200, 1),
    (NotFound("path"), 404, 4), (told(ValueError("secret"), "GET"), 500, 1), (told(StoreFailed("down"), "GET"), 503, 1),
])
def test_the_code_and_the_status_of_a_failure(error: ApiError, status: int, code: int) -> None:
    answer = STYLE.answer(error)
    assert isinstance(answer.body, bytes)
    assert answer.status == status and json.loads(answer.body) == {
        "result": {"success": False, "code": code, "message": error.message}, "response": {}}


def test_what_went_well() -> None:
    assert succeeded({"contactgroup": []}) == {
        "result": {"success": True, "code": 0, "message": "OK"}, "response": {"contactgroup": []}}
