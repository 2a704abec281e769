"""The example organisation: users by the command line; address, agents' phones, a hotline and an own number by the
public APIs."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from engine.demo.checks import DemoFailed
from engine.demo.system import System

BASE, V1 = "/api/v1/first-responder", "/ringward/v1"
ACTIVE_TIMEOUT_S = 20
SILENT_S = 30  # no event, not even a sign of life
NAMES = ("Ada", "Bruno", "Clara")
LOCAL = "493023125"  # Berlin 030 23125xxx and 0171 39200xx: numbers that Germany keeps for films
MOBILE = "4917139200"


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    user_id: int
    number: str  # E.164 digits, as the trunk is asked to ring


@dataclass(frozen=True, slots=True)
class Event:
    """One of `/ringward/v1/events`; the first is ours: `listening`."""

    type: str
    data: dict[str, Any]
    at: str = ""  # RFC 3339


class Api:
    """A public API with one token."""

    def __init__(self, session: aiohttp.ClientSession, system: System, token: str, base: str = BASE) -> None:
        self._session, self._url = session, system.api + base
        self._headers = {"API-TOKEN": token}

    async def get(self, path: str, **query: str | int) -> Any:
        return await self._send("GET", path, params=query)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str = "", **query: str | int,
    ) -> Any:
        """`key`: so that the same POST, sent again, does nothing a second time."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._send("POST", path, json=body, params=query, headers=headers)

    async def put(self, path: str, body: dict[str, Any]) -> Any:
        return await self._send("PUT", path, json=body)

    async def events(self) -> AsyncIterator[Event]:
        """What happens from now on, as it happens (server-sent events)."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_S)
        try:
            async with self._session.get(self._url + "/events", headers=self._headers, timeout=timeout) as answer:
                if answer.status != 200:
                    raise DemoFailed(f"GET /events answered {answer.status}: {await answer.text()}")
                yield Event("listening", {})
                async for line in answer.content:
                    if line.startswith(b"data:"):
                        told = json.loads(line.removeprefix(b"data:"))
                        yield Event(told["type"], told["data"], told["at"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"GET /events: {error!r}") from error

    async def _send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        sent = {**self._headers, **(headers or {})}
        try:
            async with self._session.request(method, self._url + path, headers=sent, **options) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"{method} {path}: {error!r}") from error
        if response.status not in (200, 201):
            raise DemoFailed(f"{method} {path} answered {response.status}: {answer}")
        return answer


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
    """Make it all; the hotline may still be `starting`. Each of up to ten lanes has phones of its own."""
    mark = secrets.token_hex(3)
    number = f"{LOCAL}{secrets.randbelow(500):03}"
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
    v1 = Api(session, system, organisation["apiToken"], V1)
    return Company(api, v1, organisation_id, agents, int(made["id"]), made["number"].lstrip("+"))


async def own_number(system: System, company: Company) -> str:
    """Take a number for the organisation itself: what its alarms show as caller."""
    await system.ringward("number", "add", f"+{LOCAL}{500 + secrets.randbelow(500)}")
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
