"""What an honest client sends to each operation: every field of its body once, with a value that is taken.

`BODIES[route.name](own)`, and for other types of bodies `BYTES[path]` and its type; where `own` are the ids of an
estate by their kind (`hostile_estate.py`). `own["new"]` is another text at each use, for what must be unique.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

from tests.directory_site import wav
from tests.ictcore_programs import FIELDS, SCHEME
from tests.ictcore_site import PASSWORD

Own = Mapping[str, Any]
Body = Callable[[Own], Any]
PHONE = "030 1110001"
TYPES = ["alarm.created", "alarm.finished"]
# never looked at, so that what a GET answered can be PUT back
IGNORED = frozenset({
    "id", "number", "status", "use", "createdAt", "secrets", "memberCount", "isOptOut", "problem", "programID",
    "programType", "groupID", "tryAllowed", "contactTotal", "transmissions", "startedAt", "finishedAt", "hotlineID",
    "organizationID", "name", "resource"})


def _contact(own: Own) -> dict[str, Any]:
    return {"firstName": "Anna", "lastName": "Muster", "phone": PHONE, "morePhones": ["030 1110002"],
            "email": "a@example.org", "address": "Weg 1\nBerlin", "custom1": "a", "custom2": "b", "custom3": "c",
            "description": "x", "language": "de", "timeZone": "Europe/Berlin"}


def _old_contact(_: Own) -> dict[str, Any]:
    return {"first_name": "Anna", "last_name": "Muster", "phone": PHONE, "email": "a@example.org", "address": "Weg 1",
            "custom1": "a", "custom2": "b", "custom3": "c", "description": "x"}


def _organisation(_: Own) -> dict[str, Any]:
    return {"name": "Wehr", "country": "DE", "language": "de", "countries": ["DE"], "callsPerMinute": 2000,
            "callsPerHour": 10_000, "callsPerDay": 50_000}


def _user(own: Own) -> dict[str, Any]:
    return {"name": own["new"], "language": "de", "isAdmin": False, "allowAdmins": True, "password": PASSWORD}


def _phone(_: Own) -> dict[str, Any]:
    return {"name": "Handy", "number": PHONE, "isActive": True, "position": 3}


def _agent_phone(own: Own) -> dict[str, Any]:
    return {"isActive": True, "name": "Handy", "phone": "0049301110001", "userID": own["user"]}


def _hotline(own: Own) -> dict[str, Any]:
    return {"agents": [own["user"]], "channelsInbound": 5, "channelsOutbound": 5, "isActive": True, "name": "Brand",
            "organizationID": own["organisation"], "ttsInbound": "Hallo", "ttsOutbound": "Die 1"}


def _alarm(own: Own) -> dict[str, Any]:
    return {"organizationID": own["organisation"], "message": {"de": "Brand in {place}, {name}."},
            "fields": {"place": "Halle 3"},
            "recipients": [{"userID": own["user"]}, {"contactID": own["contact"], "role": "driver"},
                           {"groupID": own["group"]}, {"phone": PHONE, "name": "Kurt", "language": "de"}],
            "acknowledge": {"needed": 1, "byRole": {"driver": 1}, "key": "1", "declineKey": "9", "pin": "4711"},
            "strategy": {"type": "waves", "waves": [{"afterS": 0, "groupIDs": [own["group"]]}]},
            "retry": {"rounds": 1, "pauseS": 1, "on": ["busy"]}, "ringTimeoutS": 5, "expiresS": 10, "amd": False,
            "closing": {"de": "Danke, {acknowledged} von {needed}."}}


def _campaign_settings(own: Own) -> dict[str, Any]:
    return {"cpm": 60, "callsPerSecond": 1.5, "channels": 5, "optOutKey": "9", "dncListIDs": [own["dnc"]],
            "window": {"from": "00:00", "to": "00:00", "weekdays": [1, 2, 3], "country": "DE", "holidays": False},
            "retry": {"busyS": 10, "noAnswerS": 10, "failedS": 10}, "callerIDs": []}


def _webhook(_: Own) -> dict[str, Any]:
    return {"url": "https://8.8.8.8/hook", "types": TYPES, "description": "x",
            "isActive": False}


def _account(own: Own) -> dict[str, Any]:
    return {"username": own["new"], "passwd": "p", "passwd_pin": "1", "first_name": "A", "last_name": "B",
            "phone": "030 1110001", "email": "a@example.org", "address": "x", "active": 1}


def _old_user(own: Own) -> dict[str, Any]:
    return {"username": own["new"], "passwd": PASSWORD, "first_name": "A", "last_name": "B",
            "phone": "030 1110001", "email": f"{own['new']}@example.org", "address": "x", "company": "c",
            "country_id": "1", "timezone_id": "1", "active": 1}


def _provider(own: Own) -> dict[str, Any]:
    """Not active: nothing is registered at a name that is made up."""
    return {"name": "Alpine", "description": "x", "gateway_flag": 8, "service_flag": 3, "node_id": 1,
            "host": "127.0.0.1", "port": 5060, "username": "joe", "password": "s3cr?t", "dialstring": "x",
            "prefix": "49|0", "settings": "x", "register": 0, "weight": 10, "active": 0, "channels": 1, "cps": 1.0}


def _schedule(_: Own) -> dict[str, Any]:
    return {"year": "2033", "month": "5", "day": "18", "hour": "5", "minute": "33", "is_recurring": 0, "expiry": 60,
            "weight": 1}


def _program(type_: str, own: Own) -> dict[str, Any]:
    values = {"recording_id": own["recording"], "document_id": own["document"], "template_id": own["template"],
              "text_id": own["text"], "account_id": own["account"], "extension_id": own["extension"],
              "did_id": own["did"], "text": "Hallo {first_name} [contact:last_name]", "delay": 1,
              "ivr_scheme": SCHEME, "description": "x"}
    return {"name": own["new"], "parent_id": own["program"], **{name: values[name] for name in FIELDS[type_]}}


def _any_program(own: Own) -> dict[str, Any]:
    """With the fields of every type: those of the others are ignored."""
    every = {name: it for type_ in FIELDS for name, it in _program(type_, own).items()}
    return {**every, "type": "voicetts"}


def _transmission(own: Own) -> dict[str, Any]:
    return {"title": "t", "origin": "o", "contact_id": own["contact"], "account_id": own["account"],
            "service_flag": 1, "direction": "outbound", "try_allowed": 1, "is_deleted": 0,
            "program_id": own["program"], "phone": "", "email": ""}


def _named(**more: Any) -> Body:
    return lambda own: {"name": own["new"], "description": "x", **more}


def _programs() -> Mapping[str, Body]:
    def program(type_: str) -> Body:
        return lambda own: _program(type_, own)

    def both(type_: str) -> Body:
        return lambda own: {"program_data": _program(type_, own),
                            "transmission_data": {**_transmission(own), "program_id": None}}
    return {f"ictcore POST /programs/{it}": program(it) for it in FIELDS} | {
        f"ictcore POST /programs/{it}/transmissions": both(it) for it in FIELDS}


def _messages(kind: str, body: Body) -> Mapping[str, Body]:
    return {f"ictcore {method}{prefix}/{kind}{item}": body
            for prefix in (" /messages", " ") for method, item in (("POST", ""), ("PUT", f"/{{{kind[:-1]}_id}}"))}


BODIES: Mapping[str, Body] = {
    "ringward POST /alarms": _alarm,
    "ringward PUT /campaigns/{id}": _campaign_settings,
    "ringward POST /contact-groups": _named(),
    "ringward PUT /contact-groups/{id}": _named(),
    "ringward POST /contact-groups/{id}/members": lambda own: {"contactID": own["contact"]},
    "ringward POST /contacts": _contact,
    "ringward PUT /contacts/{id}": _contact,
    "ringward POST /numbers": lambda own: {"organizationID": own["organisation"], "name": "n"},
    "ringward PUT /numbers/{number}": lambda own: {"name": "n"},
    "ringward POST /organisations": _organisation,
    "ringward PUT /organisations/{id}": _organisation,
    "ringward POST /users/{id}/phones": _phone,
    "ringward PUT /users/{id}/phones/{phoneID}": _phone,
    "ringward PUT /recordings/{id}": lambda own: {"name": "r"},
    "ringward POST /users": _user,
    "ringward PUT /users/{id}": lambda own: {**_user(own), "name": own["username"], "isAdmin": True},
    "ringward POST /dnc-lists": lambda own: {"name": "d"},
    "ringward PUT /dnc-lists/{id}": lambda own: {"name": "d"},
    "ringward POST /dnc-lists/{id}/numbers": lambda own: {"numbers": [PHONE]},
    "ringward POST /webhooks": _webhook,
    "ringward PUT /webhooks/{id}": _webhook,
    "ringward POST /webhooks/{id}/rotate-secret": lambda own: {"overlapS": 1},
    "first-responder POST /agents": _agent_phone,
    "first-responder PUT /agents/{id}": _agent_phone,
    "first-responder POST /hotlines": _hotline,
    "first-responder PUT /hotlines/{hotlineID}": _hotline,
    "first-responder POST /sip-customer": lambda own: {
        "city": "Berlin", "country": "DE", "cityCode": "10115", "name": "Wehr", "street": "Weg",
        "streetHousenumber": 1, "organizationID": own["organisation"]},
    "ictcore POST /accounts": lambda own: {**_account(own), "type": "account"},
    "ictcore POST /dids": _account,
    "ictcore POST /extensions": _account,
    "ictcore PUT /accounts/{account_id}": _account,
    "ictcore POST /authenticate": lambda own: {
        "username": own["username"], "email": "", "user_id": own["user"], "password": own["password"]},
    "ictcore POST /campaigns": lambda own: {
        "program_id": own["program"], "group_id": own["group"], "cpm": 2, "try_allowed": 1,
        "account_id": own["account"], "name": "c", "source": "s"},
    "ictcore PUT /campaigns/{campaign_id}": lambda own: {
        "program_id": own["program"], "group_id": own["group"], "cpm": 2, "try_allowed": 1,
        "account_id": own["account"], "name": "c", "source": "s"},
    "ictcore POST /contacts": _old_contact,
    "ictcore PUT /contacts/{contact_id}": _old_contact,
    "ictcore POST /groups": _named(),
    "ictcore PUT /groups/{group_id}": _named(),
    "ictcore POST /programs": _any_program,
    "ictcore PUT /programs/{program_id}": _any_program,
    "ictcore PUT /programs/{program_id}/transmissions": _transmission,
    "ictcore POST /providers": lambda own: {**_provider(own), "type": "sip"},
    "ictcore PUT /providers/{provider_id}": _provider,
    "ictcore POST /roles": _named(),
    "ictcore PUT /roles/{role_id}": _named(),
    "ictcore POST /permissions": lambda own: {"name": own["new"].replace("-", "_"), "description": "x"},
    "ictcore PUT /campaigns/{campaign_id}/start/schedule": _schedule,
    "ictcore POST /campaigns/{campaign_id}/start/schedule": _schedule,
    "ictcore PUT /campaigns/{campaign_id}/stop/schedule": _schedule,
    "ictcore POST /campaigns/{campaign_id}/stop/schedule": _schedule,
    "ictcore PUT /transmissions/{transmission_id}/schedule": _schedule,
    "ictcore POST /transmissions": _transmission,
    "ictcore PUT /transmissions/{transmission_id}": _transmission,
    "ictcore POST /users": _old_user,
    "ictcore PUT /users/{user_id}": lambda own: {**_old_user(own), "username": own["username"]},
    "ictcore PUT /users/{user_id}/password": lambda own: {"password": own["password"]},
    **_messages("documents", _named(quality="standard")),
    **_messages("recordings", _named()),
    **_messages("templates", _named(subject="s", body="b", body_alt="c", type="plain")),
    **_messages("texts", _named(data="d", type="utf-8")),
    **_programs(),
    "sensaphone create /login": lambda own: {"user_name": own["username"], "password": own["password"]},
    "sensaphone read /login": lambda own: {"login": None},
    "sensaphone delete /login": lambda own: {"login": None},
    "sensaphone read /contactgroup": lambda own: {"contactgroup": [{"group_id": own["group"]}]},
    "sensaphone create /contactgroup": lambda own: {"contactgroup": [{
        "name": own["new"], "contacts": [{"contact_id": own["contact"]}], "users": [{"user_id": own["user"]}]}]},
    "sensaphone update /contactgroup": lambda own: {"contactgroup": [{"group_id": own["group"], "name": own["new"]}]},
    "sensaphone delete /contactgroup": lambda own: {"contactgroup": [{
        "group_id": own["group"], "contacts": [{"contact_id": own["contact"]}], "users": [{"user_id": own["user"]}]}]},
    "sensaphone read /contact": lambda own: {"contact": [{"contact_id": own["contact"]}]},
    "sensaphone create /contact": lambda own: {"contact": [{
        "destination": PHONE, "type": "voice", "description": "x", "enable": True}]},
    "sensaphone read /user": lambda own: {"user": [{"user_id": own["user"]}]},
    "sensaphone create /user": lambda own: {"user": [{"name": own["new"], "enable": True}]},
}
# bodies that are no JSON, by how their path ends
WAV, TEXT, CSV, ANY = "audio/wav", "text/plain", "text/csv", "application/octet-stream"
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 8, 8, 1, 0, 0, 0, 0) + bytes(4)
BYTES: Mapping[str, tuple[bytes, str]] = {
    "/recordings": (wav(), WAV), "/recordings/{recording_id}/media": (wav(), WAV),
    "/documents/{document_id}/media": (PNG, "image/png"),
    "/templates/{template_id}/media": (b"<p>x</p>", "text/html"), "/groups/{group_id}/csv": (b"030 1110003\n", CSV),
    "/settings/{name}": (b'{"value": "x"}', "application/json"),
    "/config/{name}": (b'{"value": "x"}', "application/json")}


def none(_: Own) -> dict[str, str]:
    return {}


# parameters without which a list is refused
QUERIES: Mapping[str, Callable[[Own], dict[str, str]]] = {
    "first-responder GET /agents": lambda own: {"owner_id": str(own["user"]),
                                                "organization_id": str(own["organisation"])},
    **dict.fromkeys((f"first-responder {it}" for it in ("POST /agents", "PUT /agents/{id}", "GET /hotlines")),
                    lambda own: {"organization_id": str(own["organisation"])}),
    "ringward POST /recordings": lambda own: {"name": own["username"]}}
