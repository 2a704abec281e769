"""JSON mode: a POST to `/api/v1/<resource>`, or with account and session in the path as well. Pure.

Called by `door.py`. Here the vendor's oddities become what `schemas.py` knows: `sessionid`, and `devicegroup` in a
delete.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from api.errors import ApiError, Invalid
from api.sensaphone.uri_mode import value

RESOURCES = ("contactgroup", "contact", "user", "login")


def resource(method: str, given: Sequence[str]) -> str | None:
    """The resource to which a body may be posted at this path; None: there is none."""
    if method != "POST" or len(given) not in (1, 3):
        return None
    found = value(given[-1])
    return found if found in RESOURCES else None


def body(resource: str, given: Sequence[str], said: Any) -> dict[str, Any]:
    """What was posted, with what the path says. Raises ApiError."""
    if not isinstance(said, dict):
        raise ApiError(400, "body: must be a JSON object")
    found = _plain(resource, said)
    if found.get("resource") not in (None, resource):
        raise Invalid("resource", f"must be {resource}, as in the path")
    for name, text in zip(("acctid", "session"), map(value, given[:-1]), strict=False):
        if str(found.setdefault(name, text)) != text:
            raise Invalid(name, "is another one than in the path")
    return found


def _plain(resource: str, said: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(said)
    _renamed(found, "sessionid", "session")
    if (resource, found.get("request_type")) == ("contactgroup", "delete"):
        _renamed(found, "devicegroup", "contactgroup")
    return found


def _renamed(body: dict[str, Any], oddity: str, name: str) -> None:
    if oddity in body and name not in body:
        body[name] = body.pop(oddity)
