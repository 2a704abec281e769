"""A client of the First Responder API as its users write one, and an application on the directory in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from api import malformed
from api.app import create_app
from tests.directories import Org, World

BASE = "/api/v1/first-responder"
ADDRESS = {"name": "Feuerwehr", "street": "Hauptstraße", "streetHousenumber": 12, "city": "Berlin", "cityCode": "10115",
           "country": "DE"}


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """The error body's texts; checks its shape."""
        assert self.body.keys() == {"success", "message", "error"} and self.body["success"] is False, self.body
        return f"{self.body['message']} | {self.body['error']}"


@dataclass
class Client:
    session: ClientSession
    url: str
    headers: dict[str, str]

    async def __call__(self, method: str, path: str, body: Any = None, *, data: bytes | None = None,
                       headers: dict[str, str] | None = None, **query: Any) -> Reply:
        given: dict[str, Any] = {"data": data} if data is not None else {} if body is None else {"json": body}
        async with self.session.request(method, self.url + path, headers={**self.headers, **(headers or {})},
                                        params={name: str(value) for name, value in query.items()}, **given) as got:
            return Reply(got.status, await got.json(), dict(got.headers))

    def of(self, **headers: str) -> "Client":
        return Client(self.session, self.url, headers)

    def personal(self, token: str) -> "Client":
        return self.of(**{"Personal-Access-Token": token})

    def organisation(self, token: str) -> "Client":
        return self.of(**{"API-TOKEN": token})


@dataclass
class Site:
    """A served API with one organisation and its clients."""

    world: World
    org: Org
    api: Client             # the organisation's API-TOKEN
    url: str                # of the server

    def hotline_body(self, **changes: Any) -> dict[str, Any]:
        return {"agents": list(self.org.users), "isActive": True, "name": "Brand", "organizationID": self.org.id,
                **changes}

    def phone_body(self, user_id: int, **changes: Any) -> dict[str, Any]:
        return {"isActive": True, "name": "Handy", "phone": "004924155660", "userID": user_id, **changes}

    async def personal(self, user_id: int) -> Client:
        return self.api.personal(await self.world.directory.issue_token(self.org.id, user_id))

    async def user(self, *, org: Org | None = None, **rights: bool) -> tuple[int, Client]:
        org_id = (org or self.org).id
        name = f"u{len(await self.world.directory.users(org_id))}.{org_id}"
        user_id = (await self.world.directory.create_user(org_id, name, **rights)).user_id
        return user_id, self.api.personal(await self.world.directory.issue_token(org_id, user_id))

    async def other(self) -> "Site":
        """Another organisation on the same server."""
        return await site_of(self.world, self.url, self.api.session)


async def site_of(world: World, url: str, session: ClientSession) -> Site:
    org = await world.organisation(numbers=3)
    token = await world.directory.issue_token(org.id, None)
    return Site(world, org, Client(session, url + BASE, {"API-TOKEN": token}), url)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[Site]:
    """The API over HTTP on a free port."""
    runner = web.AppRunner(create_app(world.directory), access_log=None, logger=malformed.SERVER)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with ClientSession() as session:
            yield await site_of(world, f"http://{host}:{port}", session)
    finally:
        await runner.cleanup()
