"""How the Sensaphone.net API says how something went: `result` in every answer, with a code of this one table.

A failure that is about what was asked comes with HTTP 200: clients look at `result.success`. HTTP says 404 for a path
that does not exist, 500 and 503 when it is not the client's doing.
"""

from collections.abc import Mapping
from enum import IntEnum
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from api.errors import ApiError, ErrorStyle, Problem


class Code(IntEnum):
    """0 and 2 are the vendor's; it publishes no others, and its clients know these two."""

    OK = 0
    FAILED = 1          # malformed, too large, or not the client's doing
    SESSION = 2         # unknown or expired: log in again
    PERMISSION = 3      # wrong name or password, too many of them, or not allowed to this user
    NOT_FOUND = 4       # no such group, contact, user, or path
    PARAMETER = 5       # a member is missing or says something that cannot be; the message names it


# What errors that other parts of the api raise are here. The status of those that are not named stays.
_BY_STATUS: Mapping[int, Code] = {
    HTTPStatus.UNAUTHORIZED: Code.PERMISSION, HTTPStatus.FORBIDDEN: Code.PERMISSION, HTTPStatus.LOCKED: Code.PERMISSION,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED: Code.PARAMETER}
_LOGICAL = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.LOCKED)


class Failure(ApiError):
    """Something was refused, with a code of the table. `problem` as `field: what is wrong with it`."""

    def __init__(self, code: Code, message: str, *problems: Problem) -> None:
        super().__init__(HTTPStatus.OK, message, problems=problems)
        self.code = code


def missing(field: str, row_id: int, kind: str) -> Failure:
    """An id that is not there, or not this user's to see."""
    return Failure(Code.NOT_FOUND, f"{field}: there is no {kind} {row_id}")


class Result(BaseModel):
    success: bool
    code: int = Field(description="; ".join(f"{it.value} {it.name.lower()}" for it in Code))
    message: str = Field(description="for people; of a failure it names the member that is wrong")


class Failed(BaseModel):
    """Something was refused or failed; nothing was changed."""

    result: Result
    response: dict[str, Any] = Field(default_factory=dict, description="empty")


def succeeded(response: Any, message: str = "OK") -> dict[str, Any]:
    return {"result": {"success": True, "code": Code.OK.value, "message": message}, "response": response}


def _write(error: ApiError, status: int) -> Failed:
    code = _code(error)
    return Failed(result=Result(success=False, code=code, message=error.message), response={})


def _code(error: ApiError) -> Code:
    if isinstance(error, Failure):
        return error.code
    return Code.PARAMETER if error.problems else _BY_STATUS.get(error.status, Code.FAILED)


STYLE = ErrorStyle(Failed, _write, statuses=dict.fromkeys(map(int, _LOGICAL), 200))
