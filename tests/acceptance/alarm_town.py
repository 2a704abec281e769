"""A town whose people are alarmed: that of the hotline stories, a real `ringward api` beside its engine, and what the
phones themselves tell about an alarm.

A story reads: `alarm = await muster.alarm(people=3, needed=2)`, `await muster.acknowledges(1)`,
`await alarm.is_("acknowledged")`.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from engine.softphone.audio import read_wav
from engine.softphone.listening import hears
from engine.softphone.taken_call import TakenCall
from tests.acceptance.town import EngineProcess, Town, agent_number
from tests.phone_lives import Lives

V1 = "/ringward/v1"
OWN_NUMBER = "49305550"  # numbers of the pool begin so
TEXT = {"de": "Brand in Halle 3."}
QUICK_RETRY = {"rounds": 2, "pauseS": 1}


@dataclass
class Muster:
    """The town, its api, and the organisation's token."""

    town: Town
    api: EngineProcess
    session: aiohttp.ClientSession
    url: str
    token: str = ""
    own_number: str = ""
    alarms: list["Alarm"] = field(default_factory=list)

    async def is_served(self) -> bool:
        try:
            async with self.session.get(self.url + "/healthz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def found(self, people: int) -> None:
        """The organisation with people 1, 2, 3 …, a phone each; its own number."""
        await self.town.people(people)
        if not self.token:
            self.token = await self.town.directory.issue_token(self.town.organisation_id, None)
            taken = await self.post("/numbers", {"organizationID": self.town.organisation_id})
            self.own_number = taken["number"].lstrip("+")

    async def post(self, path: str, body: Any = None, status: int | None = None, **headers: str) -> Any:
        answer = await self.ask("POST", path, body, **headers)
        wanted = (status,) if status else (200, 201, 202)
        assert answer[0] in wanted, answer
        return answer[1]

    async def get(self, path: str) -> Any:
        status, body = await self.ask("GET", path)
        assert status == 200, (status, body)
        return body

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"API-TOKEN": self.token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.session.request(method, self.url + V1 + path, json=body, headers=sent) as response:
            return response.status, await response.json() if response.status != 204 else None

    def order(self, people: int | Sequence[int], needed: int | str = 1, **changes: Any) -> dict[str, Any]:
        """The body of an alarm to these people. `acknowledge`, `retry` … are merged into what is usual here."""
        chosen = range(1, people + 1) if isinstance(people, int) else people
        acknowledge = {"needed": needed, **changes.pop("acknowledge", {})}
        retry = {**QUICK_RETRY, **changes.pop("retry", {})}
        return {
            "organizationID": self.town.organisation_id, "message": TEXT,
            "recipients": [{"userID": self.town.users[n - 1]} for n in chosen],
            "acknowledge": acknowledge, "retry": retry, "ringTimeoutS": 6, **changes,
        }

    async def alarm(self, people: int | Sequence[int] = 2, needed: int | str = 1, **changes: Any) -> "Alarm":
        await self.found(people if isinstance(people, int) else max(people))
        made = Alarm(self, await self.post("/alarms", self.order(people, needed, **changes)))
        self.alarms.append(made)
        return made

    async def answers(self, n: int, times: int = 1, hears_s: float = 0.3) -> TakenCall:
        """Person n takes the `times`-th call and hears its beginning."""
        phone = self.town.phone(n)
        await phone.rung(times=times)
        phone.answer()
        await phone.heard(hears_s)
        return phone.call

    async def acknowledges(self, n: int, keys: str = "1", times: int = 1) -> TakenCall:
        call = await self.answers(n, times)
        call.press(keys)
        return call

    def rung(self) -> Counter[int]:
        """How often each person's phone got an INVITE."""
        return Counter(int(entry.who[-2:]) for entry in self.town.carrier.journal.of(what="invite"))

    def heard(self, call: TakenCall, prompt: str, length_s: float = 0.8) -> bool:
        return hears(call.recording.pcm(), read_wav(self.town.asterisk.sounds / f"{prompt}.wav"), length_s) is not None

    async def hears(self, call: TakenCall, prompt: str, timeout_s: float = 8) -> None:
        async def heard() -> bool:
            return await asyncio.to_thread(self.heard, call, prompt)
        await self.town.until(heard, f"{call.who} hears {prompt}", timeout_s)


@dataclass
class Alarm:
    """One alarm, by the API."""

    muster: Muster
    posted: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.posted["id"])

    async def now(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.muster.get(f"/alarms/{self.id}")
        return found

    async def is_(self, state: str, timeout_s: float = 12) -> dict[str, Any]:
        async def reached() -> bool:
            return bool((await self.now())["state"] == state)
        await self.muster.town.until(reached, f"the alarm is {state}", timeout_s)
        return await self.now()

    async def person(self, n: int) -> dict[str, Any]:
        """What the API tells of person n."""
        found: dict[str, Any] = (await self.now())["recipients"][self._place(n)]
        return found

    async def person_is(self, n: int, state: str, timeout_s: float = 12) -> dict[str, Any]:
        async def reached() -> bool:
            return bool((await self.person(n))["state"] == state)
        await self.muster.town.until(reached, f"person {n} is {state}", timeout_s)
        return await self.person(n)

    async def dispositions(self, n: int) -> list[str | None]:
        return [attempt["disposition"] for attempt in (await self.person(n))["attempts"]]

    async def attempt_is(self, n: int, disposition: str, nth: int = -1, timeout_s: float = 12) -> None:
        async def reached() -> bool:
            found = await self.dispositions(n)
            return len(found) >= abs(nth + (nth >= 0)) and found[nth] == disposition
        await self.muster.town.until(reached, f"person {n}'s attempt is {disposition}", timeout_s)

    async def notes(self) -> list[str]:
        return [note["type"] for note in (await self.now())["timeline"]]

    async def over(self, timeout_s: float = 15) -> dict[str, Any]:
        """Its last leg has ended: nothing of it lives in the engine any more."""
        query = "SELECT finished_at IS NOT NULL FROM alarms WHERE id = $1"
        async def over() -> bool:
            return bool(await self.muster.town.database.fetchval(query, self.id))
        await self.muster.town.until(over, "the alarm is over", timeout_s)
        return await self.now()

    def _place(self, n: int) -> int:
        user_id = self.muster.town.users[n - 1]
        return next(i for i, one in enumerate(self.posted["recipients"]) if one.get("userID") == user_id)


async def nobody_was_wronged(muster: Muster) -> None:
    """What must hold after every story, by the phones' own records: nobody was rung after he heard that his
    acknowledgement is saved, nobody had two live calls at once, and every call at a phone is an attempt of an alarm."""
    town = muster.town
    for phone in town.carrier.phones.values():
        for call in phone.calls[:-1]:
            if call.ended_at is None:   # its CANCEL may be on its way
                await call.ended(1)
    lives = Lives(town.carrier.journal)
    for phone in town.carrier.phones.values():
        thanked = [call for call in phone.calls if muster.heard(call, "de/alarm-confirmed")]
        for call in thanked:
            later = [other for other in phone.calls if other.invited_at > call.invited_at]
            assert not later, f"{phone.number} was called again after it heard thank you"
        for earlier, later in lives.overlapping(phone.calls):
            raise AssertionError(
                f"{phone.number} had two calls at once, of {earlier.invited_at:.2f} and {later.invited_at:.2f}")
    rows = await town.database.fetch(
        "SELECT phone FROM alarm_attempts WHERE direction = 'outbound' "
        "UNION ALL SELECT to_number FROM telephone_records WHERE direction = 'outbound' "
        "UNION ALL SELECT number FROM spools WHERE time_start IS NOT NULL AND trunk <> '' "
        "UNION ALL SELECT '+' || handed_over FROM (SELECT regexp_replace(a.phone, '[^0-9]', '', 'g') AS handed_over "
        "FROM results r JOIN accounts a ON r.name = 'transfer') x")
    assert Counter(row["phone"].lstrip("+") for row in rows) >= Counter(
        entry.who for entry in town.carrier.journal.of(what="invite"))


def phone_of(n: int) -> str:
    return f"+{agent_number(n)}"
