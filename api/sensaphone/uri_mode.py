"""URI mode: everything stands in the path. Each path here says what it means in JSON mode, and nothing else. Pure.

    GET /api/v1/{ACCTID}/{SESSIONID}/contactgroup/{GROUP_ID}/contacts/
    → {"acctid": …, "session": …, "request_type": "read", "contactgroup": {"group_id": …, "contacts": null}}

Values are URL-encoded, and may stand in literal braces as in the vendor's examples; a slash at the end changes nothing.
Called by `door.py`; the functions' names and words are also those of the OpenAPI document.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

REQUEST_TYPES: Mapping[str, str] = {"POST": "create", "GET": "read", "PUT": "update", "DELETE": "delete"}
SESSION = ("{acctid}", "{session}")
# the item of the resource in JSON mode; None: null
Item: TypeAlias = dict[str, Any] | None
Meaning: TypeAlias = Callable[..., Item]


@dataclass(frozen=True, slots=True)
class Path:
    """`segments` as in the table; `{name}` stands for a value. `is_open`: without account and session in front."""

    method: str
    segments: tuple[str, ...]
    meaning: Meaning
    is_open: bool = False

    @property
    def resource(self) -> str:
        return self.segments[0]

    @property
    def pattern(self) -> str:
        return "/".join(self.segments if self.is_open else (*SESSION, *self.segments))

    def values(self, given: Sequence[str]) -> Mapping[str, str] | None:
        """What stands in its variables; None: it is another path."""
        found = {}
        for segment, text in zip(self.segments, given, strict=True):
            if segment.startswith("{"):
                found[segment.strip("{}")] = value(text)
            elif segment != unquote(text):
                return None
        return found


PATHS: list[Path] = []


def path(method: str, pattern: str, *, is_open: bool = False) -> Callable[[Meaning], Meaning]:
    def register(meaning: Meaning) -> Meaning:
        PATHS.append(Path(method, tuple(pattern.split("/")), meaning, is_open))
        PATHS.sort(key=lambda it: [segment.startswith("{") for segment in it.segments])     # words before values
        return meaning
    return register


def segments(raw_path: str) -> list[str]:
    """Of what stands behind the prefix, still quoted."""
    return raw_path.strip("/").split("/") if raw_path.strip("/") else []


def value(text: str) -> str:
    """Without its quotes, and without the braces around it. Bytes that are no UTF-8 stay recognisable as wrong."""
    plain = unquote(text, errors="surrogateescape")
    return plain[1:-1] if len(plain) > 1 and plain[0] == "{" and plain[-1] == "}" else plain


def asked(method: str, given: Sequence[str]) -> tuple[Path, dict[str, Any]] | None:
    """The path of the table, and the body in JSON mode. None: there is no such path."""
    is_open = bool(given) and value(given[0]) == "login"
    own = given if is_open else given[2:]
    for one in PATHS:
        if (one.method, len(one.segments), one.is_open) != (method, len(own), is_open):
            continue
        if (values := one.values(own)) is not None:
            item = one.meaning(**values)
            body = {"request_type": REQUEST_TYPES[method]}
            if is_open:
                return one, {**body, "request_type": "create", **(item or {})}
            return one, {"acctid": value(given[0]), "session": value(given[1]), **body, one.resource: item}
    return None


# --- contactgroup

@path("GET", "contactgroup")
def read_contact_groups() -> Item:
    """Receive all contact group information."""
    return None


@path("GET", "contactgroup/{group_id}")
def read_contact_group(group_id: str) -> Item:
    """Receive one contact group."""
    return {"group_id": group_id}


@path("GET", "contactgroup/{group_id}/name")
def read_name_of_contact_group(group_id: str) -> Item:
    """Receive the name of a contact group."""
    return {"group_id": group_id, "name": None}


@path("GET", "contactgroup/{group_id}/contacts")
def read_contacts_of_contact_group(group_id: str) -> Item:
    """Receive all contact IDs in a given contact group."""
    return {"group_id": group_id, "contacts": None}


@path("GET", "contactgroup/{group_id}/users")
def read_users_of_contact_group(group_id: str) -> Item:
    """Receive all user IDs in a given contact group."""
    return {"group_id": group_id, "users": None}


@path("PUT", "contactgroup/{group_id}/name/{name}")
def rename_contact_group(group_id: str, name: str) -> Item:
    """Change the name of a contact group."""
    return {"group_id": group_id, "name": name}


@path("POST", "contactgroup/name/{name}")
def create_contact_group(name: str) -> Item:
    """Create a new contact group, without members."""
    return {"name": name}


@path("POST", "contactgroup/{group_id}/users/user_id/{user_id}")
def add_user_to_contact_group(group_id: str, user_id: str) -> Item:
    """Add an existing user to a contact group. Who is in it stays in it."""
    return {"group_id": group_id, "users": [{"user_id": user_id}]}


@path("POST", "contactgroup/{group_id}/contacts/contact_id/{contact_id}")
def add_contact_to_contact_group(group_id: str, contact_id: str) -> Item:
    """Add an existing contact to a contact group. Who is in it stays in it."""
    return {"group_id": group_id, "contacts": [{"contact_id": contact_id}]}


@path("DELETE", "contactgroup/{group_id}")
def delete_contact_group(group_id: str) -> Item:
    """Delete a contact group; its people stay. It leaves every campaign, and an alarm keeps whom it was posted for."""
    return {"group_id": group_id}


@path("DELETE", "contactgroup/{group_id}/users/user_id/{user_id}")
def remove_user_from_contact_group(group_id: str, user_id: str) -> Item:
    """Delete a user from a contact group."""
    return {"group_id": group_id, "users": [{"user_id": user_id}]}


@path("DELETE", "contactgroup/{group_id}/contacts/contact_id/{contact_id}")
def remove_contact_from_contact_group(group_id: str, contact_id: str) -> Item:
    """Delete a contact from a contact group."""
    return {"group_id": group_id, "contacts": [{"contact_id": contact_id}]}


# --- contact, user

@path("GET", "contact")
def read_contacts() -> Item:
    """Receive all contacts."""
    return None


@path("GET", "contact/{contact_id}")
def read_contact(contact_id: str) -> Item:
    """Receive one contact."""
    return {"contact_id": contact_id}


@path("POST", "contact/destination/{destination}")
def create_contact(destination: str) -> Item:
    """Create a contact with a phone number or an e-mail address."""
    return {"destination": destination}


@path("GET", "user")
def read_users() -> Item:
    """Receive all users."""
    return None


@path("GET", "user/{user_id}")
def read_user(user_id: str) -> Item:
    """Receive one user."""
    return {"user_id": user_id}


@path("POST", "user/name/{name}")
def create_user(name: str) -> Item:
    """Create a user without a password, who cannot log in."""
    return {"name": name}


# --- login

@path("GET", "login/{user_name}/{password}", is_open=True)
@path("POST", "login/{user_name}/{password}", is_open=True)
def log_in(user_name: str, password: str) -> Item:
    """Log in; the vendor prints GET and POST. JSON mode keeps the password out of the logs of proxies."""
    return {"user_name": user_name, "password": password}


@path("GET", "login")
def read_log_in() -> Item:
    """Receive when this session began, and how long it lasts."""
    return None


@path("GET", "login/login_timestamp")
def read_log_in_timestamp() -> Item:
    """Receive when this session began."""
    return {"login_timestamp": None}


@path("GET", "login/session_expiration")
def read_session_expiration() -> Item:
    """Receive how long a session lasts."""
    return {"session_expiration": None}


@path("DELETE", "login")
def log_out() -> Item:
    """End this session."""
    return None
