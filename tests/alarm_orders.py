"""An organisation that can alarm, and the bodies it posts: for the tests of `/ringward/v1/alarms` and `/events`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.directory_site import Answer, DirectorySite, directory_site


@dataclass
class AlarmSite:
    """Three users with a phone each (+4930555100n), and an own number."""

    site: DirectorySite
    users: list[int]
    phones: list[str]

    @property
    def pool(self) -> Any:
        return self.site.pool

    def body(self, **changes: Any) -> dict[str, Any]:
        return {"organizationID": self.site.org.id, "message": {"de": "Brand in Halle 3."},
                "recipients": [{"userID": it} for it in self.users], **changes}

    async def post(self, key: str | None = None, **changes: Any) -> Answer:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.site.api("POST", "/alarms", self.body(**changes), headers=headers)

    async def posted(self, **changes: Any) -> Any:
        answer = await self.post(**changes)
        assert answer.status == 201, answer
        return answer.body

    async def contact(self, phone: str = "", **fields: Any) -> int:
        row_id: int = (await self.site.api.made("/contacts", {"firstName": "Anna", "phone": phone, **fields}))["id"]
        return row_id

    async def group(self, *members: dict[str, int]) -> int:
        group_id: int = (await self.site.api.made("/contact-groups", {"name": "Löschzug"}))["id"]
        for member in members:
            assert (await self.site.api("POST", f"/contact-groups/{group_id}/members", member)).status in (200, 201)
        return group_id

    async def stored(self) -> int:
        """Rows that posting leaves."""
        tables = ("alarms", "alarm_recipients", "alarm_notes", "idempotency_keys", "events")
        return sum([await self.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables])  # noqa: S608


async def equipped(site: DirectorySite) -> AlarmSite:
    phones = []
    for n, user in enumerate(site.org.users):
        phones.append(f"+4930555{site.org.id:02}{n:02}")
        await site.org.phone(user, phones[-1])
    await site.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ($1, $2)",
                            f"+493066600{site.org.id:02}", site.org.id)
    return AlarmSite(site, list(site.org.users), phones)


@asynccontextmanager
async def alarm_site(database_url: str) -> AsyncIterator[AlarmSite]:
    async with directory_site(database_url) as site:
        yield await equipped(site)
