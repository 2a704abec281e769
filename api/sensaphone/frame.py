"""What the modules of the Sensaphone.net API share: who is calling, and the table on which operations are registered.

    @operations.on("contactgroup", "read")
    async def read_groups(call: Call, body: ReadGroups, groups: SensaphoneGroups) -> GroupsResponse:

An operation is a resource and a request type, in both modes. `body` is its JSON mode; parameters but `call`, `body` and
`request` are services of the application, by their type. What it returns is `response` of the answer.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ValidationError

from api.errors import Invalid, invalid
from api.ictcore import frame as ictcore
from api.typed_routes import SERVICES

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call(ictcore.Call):
    """One request of a user who is logged in: his rights are those that he has in the ICTCore API. Times in seconds."""

    session: str = ""
    opened_at: int = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`is_open`: no session is needed."""

    resource: str
    request_type: str
    handler: Handler
    model: type[BaseModel]
    reply: Any                  # the type of `response`
    takes: Mapping[str, type]
    is_open: bool = False
    message: str = "OK"

    async def run(self, request: web.Request, call: Call | None, body: Mapping[str, Any]) -> Any:
        """Raises ApiError."""
        try:
            given: dict[str, Any] = {"body": self.model.model_validate(body)}
        except ValidationError as error:
            raise invalid(error) from None
        if call is not None and "call" in self.takes:
            given["call"] = call
        for name, kind in self.takes.items():
            if name not in ("call", "body"):
                given[name] = request if kind is web.Request else request.app[SERVICES][kind]
        return await self.handler(**given)


@dataclass(slots=True)
class Operations:
    _found: dict[tuple[str, str], Operation] = field(default_factory=dict)

    def on(self, resource: str, request_type: str, *, is_open: bool = False, message: str = "OK",
           ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            hints = get_type_hints(handler, include_extras=True)
            reply = hints.pop("return")
            self._found[resource, request_type] = Operation(
                resource, request_type, handler, hints["body"], reply, hints, is_open, message)
            return handler
        return register

    def find(self, resource: str, request_type: Any) -> Operation:
        """Raises Invalid for a request type that the resource does not have."""
        found = self._found.get((resource, request_type)) if isinstance(request_type, str) else None
        if found is None:
            raise Invalid("request_type", f"must be {' or '.join(t for of, t in self._found if of == resource)}")
        return found

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._found.values())


operations = Operations()
