"""Providers for the engine, in memory: the twin of `providers.py`."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from engine.vocabulary.values import Provider


class MemoryProviders:
    """Implements ports.ProviderStore. `rows`: the active ones."""

    def __init__(self, *rows: Provider, wake_s: float = 0.05) -> None:
        self.rows = {row.provider_id: row for row in rows}
        self._wake_s = wake_s

    def put(self, row: Provider) -> None:
        self.rows[row.provider_id] = row

    async def active(self) -> Sequence[Provider]:
        return [self.rows[provider_id] for provider_id in sorted(self.rows)]

    async def changes(self) -> AsyncIterator[None]:
        while True:
            yield None
            await asyncio.sleep(self._wake_s)
