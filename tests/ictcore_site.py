"""The ICTCore API over real HTTP on a real Postgres, with users of an organisation and their clients.

    async with ictcore_site(database_url) as site:
        made = await site.admin("POST", "/contacts", {"first_name": "Anna", "phone": "030 555123"})
        assert made.body == {"contact_id": made.body["contact_id"]}
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.directory_site import Answer, Client, DirectorySite, directory_site

PASSWORD = "correct horse"
UNKNOWN = 999_999


@cache
def password_hash() -> str:
    """As cheap as the library allows: tests log in often."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@cache
def signing_key() -> str:
    """Made once, because it takes long."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def says(answer: Answer) -> tuple[int, str]:
    """The code and text of an error; checks its shape."""
    assert answer.body.keys() == {"error"} and answer.body["error"].keys() == {"code", "message"}, answer
    assert answer.body["error"]["code"] == answer.status, answer
    return answer.status, answer.body["error"]["message"]


@dataclass
class IctcoreSite:
    directory: DirectorySite        # the same rows below /ringward/v1
    base: str                       # http://HOST:PORT/ictcore
    admin: Client = field(init=False)
    admin_id: int = 0

    @property
    def pool(self) -> Any:
        return self.directory.pool

    def client(self, **headers: str) -> Client:
        return Client(self.directory.api.session, self.base, {"Accept": "application/json", **headers})

    async def log_in(self, username: str, password: str = PASSWORD) -> Client:
        answer = await self.client()("POST", "/authenticate", {"username": username, "password": password})
        assert answer.status == 200, answer
        return self.client(Authorization=f"Bearer {answer.body['token']}")

    async def somebody(self, *, is_admin: bool = False) -> tuple[int, str]:
        """A new user with PASSWORD: id and name."""
        org, world = self.directory.org, self.directory.world
        name = f"i{len(await world.directory.users(org.id))}.{org.id}"
        row = await world.directory.create_user(org.id, name, is_admin=is_admin, password_hash=password_hash())
        return row.user_id, name

    async def user(self, *, is_admin: bool = False) -> tuple[int, Client]:
        """A new user and a client with a token of his: who is no admin has the role `user`."""
        user_id, name = await self.somebody(is_admin=is_admin)
        return user_id, await self.log_in(name)

    async def holding(self, *permissions: str) -> tuple[int, Client]:
        """A user with these permissions and no role."""
        user_id, client = await self.user()
        await self.pool.execute("DELETE FROM user_roles WHERE user_id = $1", user_id)
        await self.pool.execute("INSERT INTO user_permissions SELECT $1, id FROM permissions WHERE name = ANY($2)",
                                user_id, list(permissions))
        return user_id, client

    async def other(self) -> "IctcoreSite":
        """Another organisation on the same server."""
        return await _site(await self.directory.other(), self.base)


async def _site(directory: DirectorySite, base: str) -> IctcoreSite:
    site = IctcoreSite(directory, base)
    site.admin_id, site.admin = await site.user(is_admin=True)
    return site


@asynccontextmanager
async def ictcore_site(database_url: str, *, has_key: bool = True) -> AsyncIterator[IctcoreSite]:
    """`has_key`: the key that signs tokens is there already."""
    async with directory_site(database_url) as directory:
        if has_key:
            await directory.pool.execute("INSERT INTO signing_keys (id, private_key) VALUES ('k1', $1)", signing_key())
        yield await _site(directory, directory.api.url.removesuffix("/ringward/v1") + "/ictcore")
