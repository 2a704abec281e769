"""`/ringward/v1` over real HTTP on a real Postgres, with an organisation, a system token and clients of both.

    async with directory_site(database_url) as site:
        made = await site.api("POST", "/contacts", {"firstName": "Anna"})
"""

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, web

from api.app import create_app
from api.ringward.frame import PREFIX, Base
from engine.settings import Settings
from tests.directories import Org, World, world

UNKNOWN = 999_999


@dataclass
class Answer:
    status: int
    body: Any                   # JSON, or bytes, or None when there is none
    headers: dict[str, str]

    @property
    def fields(self) -> list[str]:
        """The members that a problem names; checks its shape."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        assert self.body["status"] == self.status and self.body["detail"], self.body
        return [it["field"] for it in self.body.get("errors", [])]


@dataclass
class Client:
    session: ClientSession
    url: str
    headers: dict[str, str]

    async def __call__(self, method: str, path: str, body: Any = None, *, data: Any = None,
                       headers: dict[str, str] | None = None, **query: Any) -> Answer:
        given: dict[str, Any] = {"data": _body(data)} if data is not None else {} if body is None else {"json": body}
        url = path if path.startswith("http") else self.url + path.removeprefix(PREFIX)
        async with self.session.request(method, url, headers={**self.headers, **(headers or {})},
                                        params={name: str(value) for name, value in query.items()}, **given) as got:
            is_json = got.content_type.endswith("json")
            content = await got.read()
            return Answer(got.status, await got.json() if is_json else content or None, dict(got.headers))

    async def made(self, path: str, body: Any) -> Any:
        """POSTs, and reads back what the answer's Location names."""
        answer = await self("POST", path, body)
        assert answer.status == 201, answer
        again = await self("GET", answer.headers["Location"])
        assert again.body == answer.body, (again, answer)
        return answer.body

    async def made_with_token(self, path: str, body: Any) -> Any:
        """As `made`, of what tells a token that is not told again."""
        answer = await self("POST", path, body)
        again = await self("GET", answer.headers["Location"])
        assert {**again.body, "apiToken": answer.body["apiToken"]} == answer.body, (again, answer)
        return answer.body

    async def all(self, path: str, **query: Any) -> list[Any]:
        """Every page of a list."""
        items: list[Any] = []
        while True:
            page = (await self("GET", path, **query)).body
            items += page["items"]
            if page["nextCursor"] is None:
                return items
            query["cursor"] = page["nextCursor"]


@dataclass
class DirectorySite:
    world: World
    org: Org
    api: Client             # the organisation's API token
    system: Client

    @property
    def pool(self) -> Any:
        return self.world.pool

    @property
    def root(self) -> str:
        """http://HOST:PORT"""
        return self.api.url.removesuffix(PREFIX)

    def with_token(self, token: str) -> Client:
        header = "Personal-Access-Token" if token.startswith("rwu_") else "API-TOKEN"
        return Client(self.api.session, self.api.url, {header: token})

    async def person(self, user_id: int) -> Client:
        return self.with_token(await self.world.directory.issue_token(self.org.id, user_id))

    async def somebody(self, **rights: bool) -> tuple[int, Client]:
        """A new user of the organisation."""
        name = f"p{len(await self.world.directory.users(self.org.id))}.{self.org.id}"
        user_id = (await self.world.directory.create_user(self.org.id, name, **rights)).user_id
        return user_id, await self.person(user_id)

    async def other(self) -> "DirectorySite":
        """Another organisation on the same server."""
        org = await self.world.organisation()
        token = await self.world.directory.issue_token(org.id, None)
        return DirectorySite(self.world, org, self.with_token(token), self.system)


@asynccontextmanager
async def directory_site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with world(database_url) as made:
        settings = Settings(database_url=database_url)
        app = create_app(made.directory, Base(made.pool, database_url, settings, deadline_s=5))
        # of a body that is refused the server would go on reading for ten seconds
        runner = web.AppRunner(app, access_log=None, lingering_time=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}".format(*runner.addresses[0][:2]) + PREFIX
        org = await made.organisation()
        try:
            async with ClientSession() as session:
                yield DirectorySite(
                    made, org, Client(session, url, {"API-TOKEN": await made.directory.issue_token(org.id, None)}),
                    Client(session, url, {"API-TOKEN": await made.directory.issue_system_token()}))
        finally:
            await runner.cleanup()


def _body(data: Any) -> Any:
    """aiohttp warns of many bytes at once."""
    return io.BytesIO(data) if isinstance(data, bytes) else data


def wav(seconds: float = 1, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    """A file of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(bytes(round(seconds * rate) * channels * width))
    return file.getvalue()
