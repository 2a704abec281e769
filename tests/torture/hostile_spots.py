"""Where a text may stand in a request, but for its body: in the variables of paths, in headers, in what logs in (which
has a limit of its own, so that each try comes from another address).

`tried` sends one text to one spot. Used by `test_hostile_heads.py` and, beside bodies, by `test_hostile_texts.py`.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.torture.hostile_estate import Estate
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.hostile_texts import Place, attacks, told, with_text
from tests.torture.raw_requests import Head, RawClient, as_bytes

MARK = "-here-"
LOG_INS = ("ictcore POST /authenticate", "sensaphone create /login")
HEADERS = (
    "Authorization", "Authentication", "API-TOKEN", "Personal-Access-Token", "Idempotency-Key", "Content-Type",
    "Content-Encoding", "Accept", "Accept-Language", "If-None-Match", "Last-Event-ID", "Origin", "Cookie", "User-Agent",
    "Range", "Expect", "Host", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Prefix", "X-Real-IP", "X-HTTP-Method-Override", "X-Request-ID")
# a header's own form, which is read before the text in it is
FORMS = {"Authorization": ("{}", "Bearer {}", "Basic {basic}", "Basic {}"), "Authentication": ("Bearer {}",),
         "Content-Type": ("{}", "application/json; charset={}", "multipart/form-data; boundary={}"),
         "Cookie": ("{}", "session={}"), "Forwarded": ("for={}",)}


@dataclass(frozen=True)
class Spot:
    """Where a text may stand. `name`: of the variable or header; `form`: of a header, or how a variable is written."""

    kind: str       # path, header, login
    route: Route
    name: str = ""
    form: str = ""
    place: Place = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.form} {told(self.place)} of {self.route.name}"


def spots(estate: Estate) -> list[Spot]:
    return [*_of_paths(), *_of_headers(), *_of_log_ins(estate)]


def _of_paths() -> Iterator[Spot]:
    for route in all_routes():
        for part in route.path.strip("/").split("/"):
            if part.startswith("{"):
                for form in ("quoted", "as it is"):
                    yield Spot("path", route, part.strip("{}"), form)


def _of_headers() -> Iterator[Spot]:
    """Not of what removes: the others need it."""
    for route in all_routes():
        if route.method not in ("DELETE", "delete"):
            for name in HEADERS:
                for form in FORMS.get(name, ("{}",)):
                    yield Spot("header", route, name, form)


def _of_log_ins(estate: Estate) -> Iterator[Spot]:
    for route in all_routes():
        if route.name in LOG_INS:
            for place in attacks(estate.body(route)):
                yield Spot("login", route, place=place)


async def tried(client: RawClient, estate: Estate, spot: Spot, text: str) -> int:
    got = await _sent(client, estate, spot, text)
    assert got.status < 500, (str(spot), text[:100], got)
    assert b"\r\nVariable:" not in got.data and b"\r\nAction:" not in got.data, (str(spot), text[:100], got)
    return got.status


async def _sent(client: RawClient, estate: Estate, spot: Spot, text: str) -> Head:
    honest = estate.body(spot.route)
    match spot.kind:
        case "path":
            written = quote(as_bytes(text), safe="") if spot.form == "quoted" else MARK
            request = estate.request(spot.route, path={spot.name: written}, body=honest)
            return await client.sends(request, target=request.target.encode().replace(MARK.encode(), as_bytes(text)))
        case "header":
            basic = base64.b64encode(as_bytes(f"{text}:{text}")).decode()
            value = spot.form.replace("{basic}", basic).replace("{}", text)
            return await client.sends(estate.request(spot.route, body=honest), {spot.name: value})
        case _:
            return await client.sends(estate.request(spot.route, body=with_text(honest, spot.place, text)))
