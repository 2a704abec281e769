"""What every module of `/ringward/v1` shares: the routes on which operations are registered, and pages by cursor.

    @routes.on("POST", "/contacts", 403, 422, tag="contacts", statuses=(201,), headers=LOCATION)
    async def create_contact(call: Call, book: ContactBook, body: ContactBody) -> Reply[Contact]:

Errors are problem details (`api/problem.py`): 400 for what is malformed (`Invalid`), 403 and 404, 409 for conflicts,
422 (`Refused`) for rules. A list is `Listing[T]`, newest or lowest first, of which `cursor` continues.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import asyncpg
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from api.errors import ApiError, Problem
from api.fields import FROM_TEXT, INT64_MAX, FromUrl, UrlInt, whole_number
from api.problem import PROBLEM
from api.typed_routes import Routes
from engine.settings import Settings

PREFIX = "/ringward/v1"
LOCATION = {"Location": "the path of what was made"}
T = TypeVar("T")

routes = Routes(PREFIX, PROBLEM)


@dataclass(frozen=True, slots=True)
class Base:
    """What the modules' services are made of. `url` is for who needs a connection of its own (LISTEN)."""

    pool: "asyncpg.Pool[Any]"
    url: str
    settings: Settings
    deadline_s: float


# A module's `install`: puts its services into `app[SERVICES]` by type, and what runs beside into `app[RUNNING]`.
Install = Callable[[web.Application, Base], None]


class Refused(ApiError):
    """422: well-formed, but a rule forbids it. `kind` names the rule: `never-dialled`, `calls-per-minute` …"""

    def __init__(self, kind: str, field: str, problem: str, *more: Problem) -> None:
        problems = (Problem(field, problem), *more)
        super().__init__(422, f"{field}: {problem}", problems=problems, kind=kind)


class Conflict(ApiError):
    """409: it contradicts what is there."""

    def __init__(self, kind: str, field: str, problem: str) -> None:
        super().__init__(409, f"{field}: {problem}", problems=[Problem(field, problem)], kind=kind)


# --- pages

def cursor_of(row_id: int) -> str:
    """Opaque to clients, so that what it holds may change."""
    return base64.urlsafe_b64encode(str(row_id).encode()).decode().rstrip("=")


def _row_id(cursor: Any) -> Any:
    if not isinstance(cursor, str):
        return cursor
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode("ascii")
        row_id = int(text) if text.isdigit() and len(text) < 20 else -1
    except (binascii.Error, UnicodeDecodeError, ValueError):
        row_id = -1
    if not 0 <= row_id <= INT64_MAX:
        raise ValueError("not a cursor of this list")
    return row_id


Cursor = Annotated[int | None, BeforeValidator(_row_id), WithJsonSchema({"type": "string"}),
                   Field(description="`nextCursor` of the page before", examples=[cursor_of(42)])]


class CursorQuery(FromUrl):
    """Parameters of a list. `cursor` is the id of the last row of the page before."""

    limit: Annotated[int, whole_number(1, 100), FROM_TEXT, Field(description="most entries of a page")] = 20
    cursor: Cursor = None


class Listing(BaseModel, Generic[T]):
    items: list[T]
    nextCursor: Annotated[str | None, Field(description="given as `cursor` it gets the next page; null: no more")]


def listing(rows: Sequence[T], limit: int, row_id: Callable[[T], int]) -> tuple[list[T], str | None]:
    """One page out of up to `limit + 1` rows, and the cursor of the next one."""
    page = list(rows[:limit])
    return page, cursor_of(row_id(page[-1])) if len(rows) > limit else None


class IdPath(FromUrl):
    id: UrlInt
