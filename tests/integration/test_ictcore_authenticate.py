"""Logging in to the ICTCore API, on a real Postgres over real HTTP. Named by the sections of its guide."""

from collections.abc import AsyncIterator

import pytest

from tests.ictcore_site import PASSWORD, IctcoreSite, ictcore_site, says


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def test_authenticate_post(site: IctcoreSite) -> None:
    _, name = await site.somebody()
    answer = await site.client()("POST", "/authenticate", {"username": name, "password": PASSWORD})
    assert answer.status == 200 and answer.body["token"] == answer.body["access_token"]
    answer = await site.client()("POST", "/authenticate", {"username": name, "password": "wrong"})
    assert says(answer)[0] == 401 and answer.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_authenticate_cancel_ends_the_token(site: IctcoreSite) -> None:
    _, client = await site.user()
    assert (await client("POST", "/authenticate/cancel")).body is True
    assert says(await client("POST", "/authenticate/cancel"))[0] == 401
