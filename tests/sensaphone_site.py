"""The Sensaphone.net API over real HTTP on a real Postgres, with a user of an organisation who has logged in.

    async with sensaphone_site(database_url) as site:
        made = await site.uri("POST", "contactgroup/name/Night%20Crew")
        same = await site.json("read", contactgroup=[{"group_id": made["contactgroup"][0]["group_id"]}])
"""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from yarl import URL

from tests.ictcore_site import PASSWORD, IctcoreSite, ictcore_site

UNKNOWN = 999_999
TABLES = ("contact_groups", "contact_group_members", "contacts", "users", "accounts", "sensaphone_sessions")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> int:
        """Checks the envelope."""
        assert self.body.keys() == {"result", "response"}, self.body
        result = self.body["result"]
        assert result.keys() == {"success", "code", "message"} and result["message"], self.body
        assert result["success"] is (result["code"] == 0), self.body
        return int(result["code"])

    @property
    def response(self) -> Any:
        assert (self.status, self.code) == (200, 0), self.body
        return self.body["response"]

    @property
    def failure(self) -> tuple[int, str]:
        """Code and message of what was refused, with HTTP 200."""
        assert self.status == 200 and self.code != 0 and self.body["response"] == {}, self.body
        return self.code, self.body["result"]["message"]


@dataclass
class SensaphoneSite:
    ictcore: IctcoreSite        # the same rows below /ictcore, and of its `directory` below /ringward/v1
    root: str                   # http://HOST:PORT
    user_id: int = 0
    acctid: int = 0
    session: str = ""
    version: str = "v1"

    @property
    def pool(self) -> Any:
        return self.ictcore.pool

    async def send(self, method: str, path: str, data: Any = None, **headers: str) -> Answer:
        """Exactly this path below /api."""
        url = URL(f"{self.root}/api/{path}", encoded=True)
        data = io.BytesIO(data) if isinstance(data, bytes) else data    # aiohttp warns of many bytes at once
        async with self.ictcore.directory.api.session.request(method, url, data=data, headers=headers) as got:
            return Answer(got.status, await got.json() if method != "HEAD" else None, got.headers)

    async def raw_uri(self, method: str, path: str) -> Answer:
        """`path` behind account and session."""
        return await self.send(method, f"{self.version}/{self.acctid}/{self.session}/{path}")

    async def uri(self, method: str, path: str) -> Any:
        return (await self.raw_uri(method, path)).response

    async def raw_json(self, resource: str, body: Any, content_type: str = "application/json") -> Answer:
        """Exactly this body; `$ACCTID` and `$SESSION` in it are this site's."""
        text = body if isinstance(body, str) else json.dumps(body)
        text = text.replace("$ACCTID", str(self.acctid)).replace("$SESSION", self.session)
        return await self.send("POST", f"{self.version}/{resource}", text.encode(), **{"Content-Type": content_type})

    async def asked(self, request_type: str, **resource: Any) -> Answer:
        [name] = resource
        return await self.raw_json(name.replace("devicegroup", "contactgroup"), {
            "acctid": self.acctid, "session": self.session, "request_type": request_type, **resource})

    async def json(self, request_type: str, **resource: Any) -> Any:
        return (await self.asked(request_type, **resource)).response

    async def log_in(self, user_name: str, password: str = PASSWORD) -> "SensaphoneSite":
        """The same site for another user."""
        opened = (await self.raw_json("login", {
            "request_type": "create", "resource": "login", "user_name": user_name, "password": password})).response
        return SensaphoneSite(self.ictcore, self.root, opened["user_id"], opened["acctid"], opened["session"])

    async def somebody(self, *, is_admin: bool = False) -> "SensaphoneSite":
        """A new user of the organisation."""
        _, name = await self.ictcore.somebody(is_admin=is_admin)
        return await self.log_in(name)

    async def other(self) -> "SensaphoneSite":
        """An admin of another organisation on the same server."""
        return await SensaphoneSite(await self.ictcore.other(), self.root).somebody(is_admin=True)

    async def contact(self, destination: str = "030 555123") -> int:
        made = await self.json("create", contact=[{"destination": destination}])
        return int(made["contact"][0]["contact_id"])

    async def group(self, name: str = "Night Crew", **members: Any) -> int:
        made = await self.json("create", contactgroup=[{"name": name, **members}])
        return int(made["contactgroup"][0]["group_id"])

    async def groups(self) -> list[Any]:
        found: list[Any] = (await self.json("read", contactgroup=None))["contactgroup"]
        return found

    async def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a request might change."""
        return {table: [tuple(row.values()) for row in await self.pool.fetch(
            f"SELECT * FROM {table} ORDER BY 1")] for table in TABLES}     # noqa: S608


@asynccontextmanager
async def sensaphone_site(database_url: str) -> AsyncIterator[SensaphoneSite]:
    async with ictcore_site(database_url) as ictcore:
        root = ictcore.base.removesuffix("/ictcore")
        yield await SensaphoneSite(ictcore, root).somebody(is_admin=True)
