"""The example organisation: users by the command line; address, agents' phones and a hotline by the public API."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp

from engine.demo.checks import DemoFailed
from engine.demo.system import System

BASE = "/api/v1/first-responder"
ACTIVE_TIMEOUT_S = 20
NAMES = ("Ada", "Bruno", "Clara")
LOCAL = "493023125"  # Berlin 030 23125xxx and 0171 39200xx: numbers that Germany keeps for films
MOBILE = "4917139200"


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    user_id: int
    number: str  # E.164 digits, as the trunk is asked to ring


class Api:
    """The public API with one token."""

    def __init__(self, session: aiohttp.ClientSession, system: System, token: str) -> None:
        self._session, self._url = session, system.api + BASE
        self._headers = {"API-TOKEN": token}

    async def get(self, path: str, **query: str | int) -> Any:
        return await self._send("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any], **query: str | int) -> Any:
        return await self._send("POST", path, json=body, params=query)

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            async with self._session.request(method, self._url + path, headers=self._headers, **options) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"{method} {path}: {error!r}") from error
        if response.status != 200:
            raise DemoFailed(f"{method} {path} answered {response.status}: {answer}")
        return answer


@dataclass(frozen=True, slots=True)
class Company:
    """`api` acts as an admin of the organisation."""

    api: Api
    organisation_id: int
    agents: tuple[Agent, ...]
    hotline_id: int
    number: str  # of the hotline, digits

    async def log(self) -> dict[str, Any]:
        """The newest call's log, as the API returns it; {} before there is one."""
        logs = await self.api.get(f"/hotlines/{self.hotline_id}/logs", limit=1)
        if not logs["callLogs"]:
            return {}
        entries: dict[str, Any] = await self.api.get(f"/hotlines/{self.hotline_id}/logs/{logs['callLogs'][0]['id']}")
        return entries

    async def records(self, limit: int = 50) -> list[dict[str, Any]]:
        answer = await self.api.get(f"/hotlines/{self.hotline_id}/records", limit=limit)
        records: list[dict[str, Any]] = answer["records"]
        return records


async def found(session: aiohttp.ClientSession, system: System, lane: int = 0, **hotline: Any) -> Company:
    """Make it all; the hotline may still be `starting`. Each of up to ten lanes has phones of its own."""
    mark = secrets.token_hex(3)
    number = f"{LOCAL}{secrets.randbelow(1000):03}"
    organisation = await system.ringward("org", "create", f"Demo {mark}")
    organisation_id = int(organisation["organizationID"])
    await system.ringward("number", "add", f"+{number}")
    users = [await system.ringward(
        "user", "create", f"{name.lower()}-{mark}", "--org", str(organisation_id), "--allow-admins") for name in NAMES]
    api = Api(session, system, organisation["apiToken"])
    await api.post("/sip-customer", {
        "organizationID": organisation_id, "name": f"Demo {mark}", "street": "Hauptstraße", "streetHousenumber": 1,
        "cityCode": "10827", "city": "Berlin", "country": "DE"})
    agents = tuple([
        Agent(name, int(user["userID"]), f"{MOBILE}{lane}{place}")
        for place, (name, user) in enumerate(zip(NAMES, users, strict=True))])
    for agent in agents:
        await api.post("/agents", {
            "userID": agent.user_id, "name": f"{agent.name}’s mobile", "phone": f"00{agent.number}", "isActive": True,
        }, organization_id=organisation_id)
    made = await api.post("/hotlines", {
        "organizationID": organisation_id, "name": "Demo hotline", "isActive": True,
        "agents": [agent.user_id for agent in agents], **hotline})
    return Company(api, organisation_id, agents, int(made["id"]), made["number"].lstrip("+"))


async def active(company: Company) -> str:
    """Wait until the hotline is active (its speech is ready); returns the last status seen."""
    status = ""
    try:
        async with asyncio.timeout(ACTIVE_TIMEOUT_S):
            while status not in ("active", "error"):
                await asyncio.sleep(0.2 if status else 0)
                status = (await company.api.get(f"/hotlines/{company.hotline_id}"))["status"]
    except TimeoutError:
        pass
    return status
