"""An organisation with people, programs and campaigns as rows, for tests of what is done with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from engine.store.campaigns import PostgresCampaigns
from engine.store.pool import create_pool

ORG = 1


@dataclass
class CampaignRows:
    """What stands beside campaigns; `campaigns` is the store itself."""

    pool: Any
    campaigns: PostgresCampaigns
    url: str

    async def program(self, type_: str = "voicemessage") -> int:
        program_id: int = await self.pool.fetchval(
            "INSERT INTO programs (organisation_id, name, type) VALUES (1, 'p', $1) RETURNING id", type_)
        return program_id

    async def group(self, contacts: int = 0) -> int:
        group_id: int = await self.pool.fetchval(
            "INSERT INTO contact_groups (organisation_id, name) VALUES (1, 'g') RETURNING id")
        await self.join(group_id, contacts)
        return group_id

    async def join(self, group_id: int, contacts: int) -> None:
        await self.pool.execute(
            "WITH made AS (INSERT INTO contacts (organisation_id, phone, number) "
            "SELECT 1, '030' || n, '+4930' || n FROM generate_series(1000, 999 + $2) n RETURNING id) "
            "INSERT INTO contact_group_members (organisation_id, group_id, contact_id) SELECT 1, $1, id FROM made",
            group_id, contacts)

    async def campaign(self, contacts: int = 0, type_: str = "voicemessage", **columns: Any) -> int:
        return await self.campaigns.create(ORG, 7, {
            "program_id": await self.program(type_), "group_id": await self.group(contacts), **columns})

    async def running(self, contacts: int = 0) -> int:
        campaign_id = await self.campaign(contacts)
        await self.campaigns.start(ORG, campaign_id)
        await self.pool.execute("UPDATE campaigns SET status = 'running' WHERE id = $1", campaign_id)
        return campaign_id

    async def transmission(self, campaign_id: int | None = None, status: str = "pending", **columns: Any) -> int:
        """As the engine makes one: due at once. Of somebody else each time."""
        values = {"organisation_id": ORG, "program_id": await self.program(), "campaign_id": campaign_id,
                  "status": status,
                  "contact_id": await self.pool.fetchval("SELECT nextval('numbers_position') + 1000000"), **columns}
        names, places = ", ".join(values), ", ".join(f"${n + 1}" for n in range(len(values)))
        transmission_id: int = await self.pool.fetchval(
            f"INSERT INTO transmissions ({names}, due_at) VALUES ({places}, now()) RETURNING id",  # noqa: S608
            *values.values())
        return transmission_id

    async def contact(self, number: str = "+4930555001") -> int:
        contact_id: int = await self.pool.fetchval(
            "INSERT INTO contacts (organisation_id, phone, number) VALUES (1, $1, $1) RETURNING id", number)
        return contact_id

    async def row(self, table: str, row_id: int) -> Any:
        return await self.pool.fetchrow(f"SELECT * FROM {table} WHERE id = $1", row_id)  # noqa: S608

    async def status(self, campaign_id: int) -> str:
        return str((await self.row("campaigns", campaign_id))["status"])

    async def told(self) -> list[str]:
        return [it["type"] for it in await self.pool.fetch("SELECT type FROM events ORDER BY id")]


@asynccontextmanager
async def campaign_rows(database_url: str) -> AsyncIterator[CampaignRows]:
    """Organisation 1 has a number of its own."""
    pool = await create_pool(database_url)
    try:
        await pool.execute("INSERT INTO organisations (name) VALUES ('Feuerwehr')")
        await pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', 1)")
        yield CampaignRows(pool, PostgresCampaigns(pool), database_url)
    finally:
        async with asyncio.timeout(5):
            await pool.close()
