"""One of everything that an organisation can own, and its client for every API: whose ids are tried by others, and
what hostile bodies refer to.

    estate = await Estate.built(session, "http://127.0.0.1:8080", pool)
    answer = await estate.ask(route, body=…)
    answer = await other.ask(route, own=estate.own)       # with somebody else's ids
"""

import base64
import io
import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from engine.store.directory import PostgresDirectory
from engine.store.directory_port import SipCustomer
from tests.ictcore_site import PASSWORD, password_hash
from tests.torture.hostile_bodies import BODIES, BYTES, QUERIES, none
from tests.torture.hostile_routes import Route

ADDRESS = SipCustomer("Wehr", "Weg", 1, "Berlin", "10115", "DE")
ROOTS = {"ringward": "/ringward/v1", "first-responder": "/api/v1/first-responder", "ictcore": "/ictcore",
         "sensaphone": "/api/v1", "sensaphone-uri": "/api/v1"}
# what a path's variable stands for, by the word before it; else by its own name
WORDS = {"alarms": "alarm", "campaigns": "campaign", "contact-groups": "group", "contacts": "contact",
         "organisations": "organisation", "users": "user", "recordings": "recording", "dnc-lists": "dnc",
         "webhooks": "webhook", "agents": "phone", "sip-customer": "organisation", "phones": "phone",
         "members": "member", "deliveries": "delivery", "hotlines": "hotline", "logs": "log",
         "recipients": "recipient"}
FREE = {"name": "colour", "destination": "030%201110009"}


@dataclass
class Heard:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_refused(self) -> bool:
        """Sensaphone says so with a 200."""
        return self.status in (403, 404) or (self.status == 200 and b'"success": false' in self.body[:60])


@dataclass(frozen=True, slots=True)
class Request:
    """What `ask` sends; `target` is the path, quoted, with its query."""

    method: str
    target: str
    headers: Mapping[str, str]
    data: bytes | None


@dataclass
class Estate:
    session: aiohttp.ClientSession
    root: str
    pool: Any
    own: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    _news: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    async def built(
            cls, session: aiohttp.ClientSession, root: str, pool: Any, *, has_engine: bool = False) -> "Estate":
        """`has_engine`: one that runs the estate's alarm, so that nobody else may write its end."""
        estate = cls(session, root, pool)
        await estate._people()
        await estate._things()
        if not has_engine:
            await pool.execute("UPDATE alarms SET state = 'expired', finished_at = now() WHERE id = $1",
                               estate.own["alarm"])
        await estate._history()
        return estate

    @property
    def organisation_id(self) -> int:
        return int(self.own["organisation"])

    def new(self) -> str:
        return f"new-{self.organisation_id}-{next(self._news)}"

    def body(self, route: Route, own: Mapping[str, Any] | None = None) -> Any:
        """An honest one; None for a route without, or of another type."""
        made = BODIES.get(route.name)
        return None if made is None else made({**(own or self.own), "new": self.new()})

    async def ask(self, route: Route, *, own: Mapping[str, Any] | None = None, body: Any = None,
                  path: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None,
                  data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Heard:
        """As this estate's admin. `own`: whose ids stand in the path; `path`: what stands there instead, quoted."""
        request = self.request(route, own=own, body=body, path=path, query=query, data=data, headers=headers)
        content = None if request.data is None else io.BytesIO(request.data)
        async with self.session.request(
                request.method, URL(self.root + request.target, encoded=True), data=content, headers=request.headers,
                allow_redirects=False) as got:
            answer = b"" if route.is_endless and got.status == 200 else await got.read()
            return Heard(got.status, answer, dict(got.headers))

    def request(self, route: Route, *, own: Mapping[str, Any] | None = None, body: Any = None,
                path: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None,
                data: bytes | None = None, headers: Mapping[str, str] | None = None) -> Request:
        query = QUERIES.get(route.name, none)(own or self.own) if query is None else query
        ids = {**(own or self.own), "acctid": self.own["acctid"], "session": self.own["session"]}
        where = filled(route, ids, path or {})
        if route.api == "sensaphone":
            body = {"acctid": ids["acctid"], "session": ids["session"], "request_type": route.method, **(body or {})}
            if route.path == "/login" and route.method == "create":
                body = {name: it for name, it in body.items() if name not in ("acctid", "session")}
        sent = {**self.headers.get(route.api, {}), **(headers or {})}
        if body is not None and data is None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        elif data is None and route.changes and (known := bytes_of(route)):
            data = known[0]
            sent.setdefault("Content-Type", known[1])
        method = "POST" if route.api == "sensaphone" else route.method
        target = ROOTS[route.api] + where + (f"?{asked(query)}" if query else "")
        return Request(method, target, sent, data)

    async def log_in(self) -> None:
        """The session of Sensaphone's API; a log-out ends it."""
        login = Route("sensaphone", "create", "/login")
        opened = (await self.ask(login, body=self.body(login))).json["response"]
        self.own |= {"acctid": opened["acctid"], "session": opened["session"]}

    # --- what there is

    async def _people(self) -> None:
        directory = PostgresDirectory(self.pool)
        org = (await directory.create_organisation("Wehr")).organisation_id
        name = f"chief-{org}-{secrets.token_hex(3)}"
        user = await directory.create_user(org, name, is_admin=True, allow_admins=True, password_hash=password_hash())
        await directory.save_sip_customer(org, ADDRESS)
        number = f"+493077{org:05}"
        await directory.add_numbers([number, f"{number}1", f"{number}2"])
        token = {"API-TOKEN": await directory.issue_token(org, None)}
        basic = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        self.headers = {"ringward": token, "first-responder": token,
                        "ictcore": {"Authorization": f"Basic {basic}", "Accept": "application/json"}}
        self.own |= {"organisation": org, "user": user.user_id, "username": name, "password": PASSWORD,
                     "number": number, "acctid": org, "session": "none", "permission": 1}
        await self.pool.execute("UPDATE numbers SET organisation_id = $1 WHERE number = $2", org, number)
        await self.log_in()

    async def _things(self) -> None:
        made = self.made
        self.own["phone"] = await made("ringward", "POST", "/users/{id}/phones")
        self.own["contact"] = await made("ringward", "POST", "/contacts")
        self.own["group"] = await made("ringward", "POST", "/contact-groups")
        self.own["member"] = await made("ringward", "POST", "/contact-groups/{id}/members")
        self.own["dnc"] = await made("ringward", "POST", "/dnc-lists")
        self.own["hotline"] = await made("first-responder", "POST", "/hotlines")
        self.own["webhook"] = await made("ringward", "POST", "/webhooks")
        for kind in ("recording", "document", "template", "text"):
            self.own[kind] = await made("ictcore", "POST", f"/{kind}s")
            if kind != "text":
                await self._posted(Route("ictcore", "PUT", f"/{kind}s/{{{kind}_id}}/media"))
        for kind in ("account", "did", "extension"):
            self.own[kind] = await made("ictcore", "POST", f"/{kind}s")
        for setting in ("/accounts/{account_id}/settings/{name}", "/users/{user_id}/config/{name}"):
            await self._posted(Route("ictcore", "PUT", setting))
        self.own["program"] = 0
        self.own["program"] = (await self._posted(
            Route("ictcore", "POST", "/programs/voicetts"), {"name": "first", "text": "Hallo"}))["program_id"]
        for kind in ("provider", "role", "campaign", "transmission"):
            self.own[kind] = await made("ictcore", "POST", f"/{kind}s")
        alarm = await self._posted(Route("ringward", "POST", "/alarms"))
        self.own |= {"alarm": alarm["id"], "recipient": alarm["recipients"][0]["id"]}
        await self._posted(Route("ictcore", "PUT", "/transmissions/{transmission_id}/schedule"))

    async def _history(self) -> None:
        """What only an engine writes."""
        org, own = self.organisation_id, self.own
        own["spool"] = await self.pool.fetchval(
            "INSERT INTO spools (organisation_id, transmission_id, account_id, status, time_end) "
            "VALUES ($1, $2, $3, 'failed', now()) RETURNING id", org, own["transmission"], own["account"])
        await self.pool.execute("INSERT INTO results (organisation_id, spool_id, type, name, data) "
                                "VALUES ($1, $2, 'info', 'age', '17')", org, own["spool"])
        own["log"] = await self.pool.fetchval(
            "INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time) "
            "VALUES (gen_random_uuid(), $1, $2, '1.1', now()) RETURNING id", org, own["hotline"])
        own["delivery"] = await self.pool.fetchval(
            "INSERT INTO webhook_deliveries (organisation_id, webhook_id, message_id, type, body, state) "
            "VALUES ($1, $2, $3, 'alarm.created', '{}', 'dead') RETURNING id",
            org, own["webhook"], f"msg_{secrets.token_hex(6)}")

    async def made(self, api: str, method: str, path: str) -> int:
        body = await self._posted(Route(api, method, path))
        return int(next(it for name, it in body.items() if name == "id" or name.endswith("_id")))

    async def _posted(self, route: Route, body: Any = None) -> Any:
        got = await self.ask(route, body=self.body(route) if body is None else body)
        assert got.status in (200, 201), (route.name, got.status, got.body)
        return got.json if got.body else None


def bytes_of(route: Route) -> tuple[bytes, str] | None:
    return next((it for end, it in BYTES.items() if route.path.endswith(end)), None)


def asked(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value.encode('utf-8', 'surrogatepass'), safe='')}"
                    for name, value in query.items())


def kind_of(route: Route, at: int) -> str:
    """What the variable in this segment of a path stands for."""
    parts = route.path.strip("/").split("/")
    name = parts[at].strip("{}")
    if name == "number":
        return "number" if at < 2 else "dnc_number"
    return name.removesuffix("_id") if route.api in ("ictcore", "sensaphone-uri") else WORDS[parts[at - 1]]


def filled(route: Route, own: Mapping[str, Any], instead: Mapping[str, str]) -> str:
    """Its path with these ids."""
    parts = route.path.strip("/").split("/")
    done = []
    for at, part in enumerate(parts):
        name = part.strip("{}")
        if not part.startswith("{"):
            done.append(part)
        elif name in instead:
            done.append(instead[name])
        elif name in FREE:
            done.append(FREE[name])
        else:
            known = {"dnc_number": "+49301110077", "user_name": own["username"], **own}
            done.append(quote(str(known[kind_of(route, at)])))
    return "/" + "/".join(done)
