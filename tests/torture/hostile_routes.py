"""Every operation of every API, as the application has it, and what an honest client would send to it.

Enumerated from the tables that the application serves by (`Operations` of the typed routes, ICTCore's door,
Sensaphone's two modes); `test_hostile_routes.py` compares them with the router, and asks that every operation with a
body stands in `hostile_bodies.py` with every field that it takes. So a new route, or a new field, is attacked or red.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import api.ictcore.routes
import api.ringward.routes
import api.sensaphone.routes  # noqa: F401 - these register the operations
from api.first_responder.routes import routes as first_responder
from api.ictcore.frame import routes as ictcore
from api.ringward.frame import routes as ringward
from api.sensaphone.frame import operations as sensaphone
from api.sensaphone.uri_mode import PATHS

ENDLESS = ("/events",)      # streams: they answer, and go on


@dataclass(frozen=True, slots=True)
class Route:
    """`path` below the API's prefix, with its variables; `fields` are those of its JSON body, `query` its parameters.

    Of Sensaphone's JSON mode the method is the request type: `create`, `read` …
    """

    api: str
    method: str
    path: str
    fields: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    consumes: tuple[str, ...] = ()
    variables: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return f"{self.api} {self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "read")

    @property
    def is_endless(self) -> bool:
        return self.path.endswith(ENDLESS)


def all_routes() -> tuple[Route, ...]:
    return tuple(_all())


def _all() -> Iterator[Route]:
    for name, routes in (("ringward", ringward), ("first-responder", first_responder), ("ictcore", ictcore)):
        for it in routes.operations:
            fields = _aliases(it.models.get("body"))
            query = _aliases(it.models.get("query"))
            yield Route(name, it.method, it.path.removeprefix(routes.prefix), fields, query, it.consumes,
                        _variables(it.path))
            for also in getattr(it, "also", ()):
                yield Route(name, it.method, also.removeprefix(routes.prefix), fields, query, it.consumes,
                            _variables(also))
    for one in sensaphone:
        yield Route("sensaphone", one.request_type, f"/{one.resource}", _aliases(one.model))
    for path in PATHS:
        yield Route("sensaphone-uri", path.method, f"/{path.pattern}", variables=_variables(path.pattern))


def _aliases(model: Any) -> frozenset[str]:
    fields: Mapping[str, Any] = model.model_fields if model is not None else {}
    return frozenset(it.alias or name for name, it in fields.items())


def _variables(path: str) -> tuple[str, ...]:
    return tuple(part.strip("{}") for part in path.split("/") if part.startswith("{"))
