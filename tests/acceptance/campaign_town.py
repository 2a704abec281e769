"""A town that is called by campaigns: that of the alarm stories, with a user of the ICTCore API in it.

A story reads: `campaign = await fair.campaign(people=3)`, `await campaign.start()`, `await campaign.is_("completed")`.
Contact n has the phone of person n.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.acceptance.alarm_town import Muster
from tests.acceptance.town import agent_number
from tests.ictcore_site import PASSWORD, password_hash

TEXT = "Guten Tag."
USER = "dispatch"


@dataclass
class Fair:
    muster: Muster
    contacts: dict[int, int] = field(default_factory=dict)

    @property
    def town(self) -> Any:
        return self.muster.town

    async def opens(self, people: int) -> None:
        """The organisation, its number, the user, and contacts 1, 2, 3 …"""
        is_new = not self.muster.token
        await self.muster.found(people)
        if is_new:
            await self.town.directory.create_user(
                self.town.organisation_id, USER, is_admin=True, password_hash=password_hash())
        for n in range(len(self.contacts) + 1, people + 1):
            made = await self.post("/contacts", {"first_name": f"Person {n}", "phone": f"+{agent_number(n)}"})
            self.contacts[n] = made["contact_id"]

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The ICTCore API."""
        login = aiohttp.encode_basic_auth(USER, PASSWORD)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Accept": "application/json", "Authorization": login, **more}
        async with self.muster.session.request(
                method, f"{self.muster.url}/ictcore{path}", json=body, headers=sent) as response:
            text = await response.text()
            return response.status, await response.json() if text else None

    async def post(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        status, answer = await self.ask(method, path, body, **headers)
        assert status == 200, (path, status, answer)
        return answer

    async def get(self, path: str) -> Any:
        return await self.post(path, method="GET")

    async def program(self, type_: str = "voicetts", **fields: Any) -> int:
        body = {"name": type_, **(fields or {"text": TEXT})}
        made: int = (await self.post(f"/programs/{type_}", body))["program_id"]
        return made

    async def group(self, people: int | Sequence[int]) -> int:
        chosen = range(1, people + 1) if isinstance(people, int) else people
        await self.opens(max(chosen))
        made: int = (await self.post("/groups", {"name": "group"}))["group_id"]
        for n in chosen:
            await self.post(f"/contacts/{self.contacts[n]}/link/{made}", method="PUT")
        return made

    async def campaign(
        self, people: int | Sequence[int] = 3, program: int | None = None, cpm: int = 600, tries: int = 1,
        **settings: Any,
    ) -> "Campaign":
        """`settings` are those of `/ringward/v1/campaigns/{id}`."""
        group = await self.group(people)
        made = await self.post("/campaigns", {
            "program_id": program or await self.program(), "group_id": group, "cpm": cpm, "try_allowed": tries})
        campaign = Campaign(self, made["campaign_id"], group)
        if settings:
            await campaign.set(**settings)
        return campaign

    def rung(self) -> Counter[int]:
        return self.muster.rung()


@dataclass
class Campaign:
    """One campaign, by both APIs."""

    fair: Fair
    id: int
    group_id: int

    async def set(self, **settings: Any) -> Any:
        path = f"/campaigns/{self.id}"
        now = await self.fair.muster.get(path)
        status, answer = await self.fair.muster.ask("PUT", path, {**_writable(now), **settings})
        assert status == 200, (status, answer)
        return answer

    async def start(self) -> None:
        assert await self.fair.post(f"/campaigns/{self.id}/start", method="PUT") is True

    async def does(self, what: str, status: int = 200) -> Any:
        """start, pause, resume, stop."""
        answer = await self.fair.muster.ask("POST", f"/campaigns/{self.id}/{what}")
        assert answer[0] == status, answer
        return answer[1]

    async def now(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.fair.get(f"/campaigns/{self.id}")
        return found

    async def progress(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.fair.muster.get(f"/campaigns/{self.id}/progress")
        return found

    async def is_(self, status: str, timeout_s: float = 20) -> dict[str, Any]:
        async def reached() -> bool:
            return bool((await self.now())["status"] == status)
        await self.fair.town.until(reached, f"the campaign is {status}", timeout_s)
        return await self.now()

    async def transmissions(self) -> dict[int, dict[str, Any]]:
        """By person."""
        listed = await self.fair.get(f"/transmissions?campaign_id={self.id}")
        person = {contact: n for n, contact in self.fair.contacts.items()}
        return {person[one["contact_id"]]: one for one in listed}

    async def results(self, n: int) -> list[tuple[str, str, str]]:
        one = (await self.transmissions())[n]
        found = await self.fair.get(f"/transmissions/{one['transmission_id']}/result")
        return [(it["type"], it["name"], it["data"]) for it in found]

    async def statuses(self) -> dict[int, str]:
        return {n: one["status"] for n, one in sorted((await self.transmissions()).items())}

    async def has_called(self, count: int, timeout_s: float = 15) -> None:
        async def reached() -> bool:
            return sum(self.fair.rung().values()) >= count
        await self.fair.town.until(reached, f"{count} calls were made", timeout_s)


def _writable(settings: dict[str, Any]) -> dict[str, Any]:
    names = ("cpm", "callsPerSecond", "channels", "window", "retry", "dncListIDs", "optOutKey", "callerIDs")
    return {name: settings[name] for name in names if name in settings}
