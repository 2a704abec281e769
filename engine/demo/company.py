"""The example organisation: users by the command line; address, agents' phones, a hotline and an own number by the
public APIs."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp

from engine.demo.api import Api
from engine.demo.system import System

BASE, V1 = "/api/v1/first-responder", "/ringward/v1"
ACTIVE_TIMEOUT_S = 20
NAMES = ("Ada", "Bruno", "Clara")
LOCAL = "493023125"  # Berlin 030 23125xxx and 0171 39200xx: numbers that Germany keeps for films
MOBILE = "4917139200"


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    user_id: int
    number: str  # E.164 digits, as the trunk is asked to ring


@dataclass(frozen=True, slots=True)
class Company:
    """`api` (First Responder's) and `v1` (Ringward's own) act as an admin of the organisation."""

    api: Api
    v1: Api
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
    """Make it all; the hotline may still be `starting`. Each of up to ten lanes has phones and numbers of its own."""
    mark = secrets.token_hex(3)
    number = f"{LOCAL}{50 * lane + secrets.randbelow(50):03}"
    organisation = await system.ringward("org", "create", f"Demo {mark}")
    organisation_id = int(organisation["organizationID"])
    await system.ringward("number", "add", f"+{number}")
    users = [await system.ringward(
        "user", "create", f"{name.lower()}-{mark}", "--org", str(organisation_id), "--allow-admins") for name in NAMES]
    token = {"API-TOKEN": organisation["apiToken"]}
    api = Api(session, system.api + BASE, token)
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
    v1 = Api(session, system.api + V1, token)
    return Company(api, v1, organisation_id, agents, int(made["id"]), made["number"].lstrip("+"))


async def own_number(system: System, company: Company) -> str:
    """Take a number for the organisation itself: what its alarms show as caller."""
    await system.ringward("number", "add", f"+{LOCAL}{500 + company.organisation_id % 500}")
    taken = await company.v1.post("/numbers", {"organizationID": company.organisation_id})
    return str(taken["number"]).lstrip("+")


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
