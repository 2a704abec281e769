"""Two carriers on free ports: callers sit at the first, phones at the second. No switch between them."""

from collections.abc import AsyncIterator

import pytest

from engine.softphone import Carrier


@pytest.fixture
async def there() -> AsyncIterator[Carrier]:
    async with Carrier() as carrier:
        yield carrier


@pytest.fixture
async def here(there: Carrier) -> AsyncIterator[Carrier]:
    async with Carrier(switch=there.address) as carrier:
        yield carrier
