"""The API over HTTP on the directory in memory: every test has its own."""

from collections.abc import AsyncIterator

import pytest

from tests.api_client import Site, served
from tests.directories import world


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with world(None) as w, served(w) as made:
        yield made
