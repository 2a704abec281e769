"""The demonstration's third scene: a campaign asks 200 people two questions, as fast as it may and no faster.

A user of the ICTCore API imports them by CSV and starts it; Ringward's own API sets the pace and tells the progress.
What the APIs say in the end is compared with what the 200 software phones saw (`crowd.py`).
"""

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from engine.demo.api import Api, Refused
from engine.demo.checks import Checks
from engine.demo.company import Company
from engine.demo.crowd import (
    DISPOSITIONS,
    OPT_OUT,
    PEOPLE,
    TRIES,
    Crowd,
    Person,
    as_needed,
    busiest_second,
)
from engine.demo.meter import Meter, finished
from engine.demo.system import System
from engine.softphone import Carrier, NeverHappened
from engine.softphone.listening import hears

IMPORTED = f"a user of the ICTCore API imports {PEOPLE} contacts by CSV"
TESTED = "a single call to a colleague first, as a test"
COMPLETED = "the campaign calls them all, and ends"
NEEDED = f"everybody is called as often as needed, never more than {TRIES} times"
PACED = "the pace is kept"
DIGITS = "results.csv tells the digits that the phones pressed"
MAILBOXES = "a mailbox is heard as one, and is no answered survey"
OPTED_OUT = f"who presses {OPT_OUT} hears that it is noted, and is on the do-not-call list"
REFUSED = "and cannot be called again"
COUNTED = "/progress counts what the phones saw"
STRANGERS = "nobody who is not in the group was rung"
CHECKS = (IMPORTED, TESTED, COMPLETED, NEEDED, PACED, DIGITS, MAILBOXES, OPTED_OUT, REFUSED, COUNTED, STRANGERS)

CPS, CHANNELS = 15, 150
RUNG_S = 10
JITTER_S = 0.5  # by which a busy machine may delay one INVITE more than the next
OVER_S = 90  # some 25 on an idle machine
LOOK_EVERY_S = 0.5
MOST = 0.8  # of the mailboxes; what Asterisk hears is a hint
SETTINGS = {
    "cpm": 60 * CPS, "callsPerSecond": CPS, "channels": CHANNELS, "optOutKey": OPT_OUT,
    "retry": {"busyS": 1, "noAnswerS": 2, "failedS": 1},
}
KEY, AGE = "lamps", "age"
SURVEY = {
    "0": {"type": "amd", "links": {"outgoing": [{"node": 1, "label": "human"}]}},
    "1": {"type": "menu", "data": {
        "name": KEY, "valid": "12", "timeout": 5, "tries": 2,
        "text": "Guten Tag. Sind die Straßen Ihrer Stadt hell genug? Für ja drücken Sie die 1, für nein die 2. "
                "Sollen wir nie wieder anrufen, drücken Sie die 9."},
        "links": {"outgoing": [{"node": 2, "label": "1"}, {"node": 2, "label": "2"}]}},
    "2": {"type": "input", "data": {
        "name": AGE, "digits": 2, "timeout": 5,
        "text": "Danke. Und wie alt sind Sie? Bitte geben Sie Ihr Alter mit zwei Ziffern ein."},
        "links": {"outgoing": [{"node": 3, "label": ""}]}},
    "3": {"type": "say", "data": {"text": "Vielen Dank."}},
}


@dataclass(slots=True)
class CampaignTold:
    """What came out of the campaign, as the APIs say: `progress` at its end, `results` a row a contact; and `phones`,
    the calls by their ending as the phones saw them."""

    checks: Checks = field(default_factory=lambda: Checks(CHECKS))
    campaign_id: int = 0
    progress: dict[str, Any] = field(default_factory=dict)
    results: list[dict[str, str]] = field(default_factory=list)
    phones: dict[str, int] = field(default_factory=dict)
    figures_ms: dict[str, float] = field(default_factory=dict)


class CampaignScene:
    """One campaign of an organisation that has a number of its own. `sounds`: the running system's prompts."""

    def __init__(
        self, carrier: Carrier, system: System, company: Company, sounds: Path, told: CampaignTold,
    ) -> None:
        self._carrier, self._system, self._company, self._sounds, self._told = carrier, system, company, sounds, told
        self._crowd = Crowd(carrier)
        self._program_id = self._test_id = 0
        self._started_at = 0.0

    async def play(self, session: aiohttp.ClientSession, console: Console) -> None:
        """Make it, start it, and watch to the end. What does not happen fails its check."""
        ictcore = await log_in(session, self._system, self._company)
        self._told.campaign_id = await self._make(ictcore)
        await self._test(ictcore)
        self._started_at = time.monotonic()
        await ictcore.put(f"/campaigns/{self._told.campaign_id}/start")
        with Meter(console, self._told.campaign_id, PEOPLE) as meter:
            await self._watch(meter)
        await self._look_back(ictcore)

    async def _make(self, ictcore: Api) -> int:
        group = (await ictcore.post("/groups", {"name": "survey"}))["group_id"]
        imported = await ictcore.post_csv(f"/groups/{group}/csv", self._crowd.csv())
        self._judge(IMPORTED, imported["imported"] == PEOPLE, f"{imported['imported']} contacts")
        self._program_id = (await ictcore.post("/programs/ivr", {"name": "survey", "ivr_scheme": SURVEY}))["program_id"]
        made = await ictcore.post("/campaigns", {
            "program_id": self._program_id, "group_id": group, "cpm": SETTINGS["cpm"], "try_allowed": TRIES})
        await self._company.v1.put(f"/campaigns/{made['campaign_id']}", SETTINGS)
        return int(made["campaign_id"])

    async def _test(self, ictcore: Api) -> None:
        """Goes on while the campaign begins. What the program says is spoken by now."""
        made = await ictcore.post("/transmissions", {
            "program_id": self._program_id, "phone": f"+{self._crowd.tester.phone.number}"})
        self._test_id = made["transmission_id"]
        await ictcore.post(f"/transmissions/{self._test_id}/send")
        try:
            await self._crowd.tester.phone.rung(RUNG_S)
        except NeverHappened as problem:
            self._judge(TESTED, False, str(problem).partition("; the journal")[0])

    async def _watch(self, meter: Meter) -> None:
        """Until it has ended, or should have."""
        path = f"/campaigns/{self._told.campaign_id}/progress"
        while time.monotonic() < self._started_at + OVER_S:
            self._told.progress = await self._company.v1.get(path)
            meter.tell(self._told.progress)
            if self._told.progress["state"] == "completed":
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look_back(self, ictcore: Api) -> None:
        told, progress = self._told, self._told.progress
        told.results = await self._company.v1.get_csv(f"/campaigns/{told.campaign_id}/results.csv")
        told.phones = dict(self._crowd.endings())
        took = time.monotonic() - self._started_at
        done = finished(progress)
        self._judge(COMPLETED, progress["state"] == "completed" and done == PEOPLE == progress["contacts"],
                    f"{progress['state']}, {done} of {progress['contacts']} after {took:.0f} s")
        await self._judge_test(ictcore)
        self._judge_calls()
        self._judge_digits()
        self._judge_mailboxes()
        await self._judge_opted_out(ictcore)
        counted = {how: count for how, count in progress["dispositions"].items() if count}
        different = [how for how in {*counted, *told.phones} if counted.get(how, 0) != told.phones.get(how, 0)]
        self._judge(COUNTED, not different, f"different: {', '.join(different)}" if different else
                    ", ".join(f"{counted.get(how, 0)} {how}" for how in DISPOSITIONS))
        known = {person.phone.number for person in [*self._crowd.people, self._crowd.tester]}
        strangers = [entry.who for entry in self._carrier.unknown if entry.at >= self._started_at]
        others = {entry.who for entry in self._carrier.journal.of(what="invite")
                  if entry.at >= self._started_at and entry.who not in known}
        self._judge(STRANGERS, not strangers and not others, ", ".join([*strangers, *others]) or f"{PEOPLE} phones")

    async def _judge_test(self, ictcore: Api) -> None:
        tester, path = self._crowd.tester, f"/transmissions/{self._test_id}"
        status = (await ictcore.get(f"{path}/status"))["status"]
        told = {it["name"]: it["data"] for it in await ictcore.get(f"{path}/result", type="info")}
        typed = told.get(KEY, "") + told.get(AGE, "")
        self._judge(TESTED, status == "completed" and typed == tester.survey and tester.endings == ("answered",),
                    f"{status}, {KEY} {told.get(KEY)}, {AGE} {told.get(AGE)}")

    def _judge_calls(self) -> None:
        wrong = [person for person in self._crowd.people if not as_needed(person.endings)]
        invites = self._crowd.invites()
        often = [len(person.phone.calls) for person in self._crowd.people]
        self._judge(NEEDED, not wrong, _names(wrong) or f"{often.count(1)} once, {often.count(TRIES)} twice")
        if invites:
            self._told.figures_ms["start to the first INVITE"] = 1000 * (invites[0] - self._started_at)
            self._told.figures_ms["first to last INVITE"] = 1000 * (invites[-1] - invites[0])
        most = busiest_second(invites)
        self._judge(PACED, 0 < most <= CPS * (1 + JITTER_S),
                    f"{len(invites)} calls, at most {most} in any second, {CPS} are set")

    def _judge_digits(self) -> None:
        """Who pressed nothing has no digits."""
        told = {row["phone"].lstrip("+"): (row.get(KEY, "") + row.get(AGE, "")) for row in self._told.results}
        wrong = [person for person in self._crowd.people if told.get(person.phone.number) != person.survey]
        answers = [text for text in told.values() if text]
        self._judge(DIGITS, not wrong and bool(answers), _names(wrong) or f"{len(answers)} answers")

    def _judge_mailboxes(self) -> None:
        ended = {row["phone"].lstrip("+"): row["disposition"] for row in self._told.results}
        numbers = [person.phone.number for person in self._crowd.of("mailbox")]
        heard = [ended.get(number) for number in numbers].count("mailbox")
        self._judge(MAILBOXES, heard >= MOST * len(numbers), f"{heard} of {len(numbers)}")

    async def _judge_opted_out(self, ictcore: Api) -> None:
        pressed = [person for person in self._crowd.people if person.opted_out]
        prompt = self._sounds / "de" / "opted-out.wav"
        heard = [person for person in pressed if hears(person.phone.call.received, prompt, 1.5)]
        listed = await self._do_not_call()
        self._judge(OPTED_OUT, bool(heard) and listed == {person.phone.number for person in pressed},
                    f"{len(pressed)} pressed it, {len(heard)} hear it, {len(listed)} are on the list")
        refused = [await self._is_refused(ictcore, row["contact_id"]) for row in self._told.results
                   if row["phone"].lstrip("+") in listed]
        self._judge(REFUSED, bool(refused) and all(refused), f"{refused.count(True)} refused")

    async def _do_not_call(self) -> set[str]:
        lists = (await self._company.v1.get("/dnc-lists"))["items"]
        own = next((it["id"] for it in lists if it["isOptOut"]), None)
        if own is None:
            return set()
        numbers = await self._company.v1.get(f"/dnc-lists/{own}/numbers", limit=100)
        return {it["number"].lstrip("+") for it in numbers["items"]}

    async def _is_refused(self, ictcore: Api, contact_id: str) -> bool:
        """A single call to him."""
        made = await ictcore.post("/transmissions", {"program_id": self._program_id, "contact_id": contact_id})
        try:
            await ictcore.post(f"/transmissions/{made['transmission_id']}/send")
        except Refused as refusal:
            return refusal.status == 412
        return False

    def _judge(self, name: str, passed: bool, detail: str) -> None:
        self._told.checks.judge(name, passed, detail)


async def log_in(session: aiohttp.ClientSession, system: System, company: Company) -> Api:
    """The ICTCore API, as a new admin of the organisation."""
    name, password = f"dispatch-{secrets.token_hex(3)}", secrets.token_hex(8)
    await company.v1.post("/users", {"name": name, "password": password, "isAdmin": True})
    url = system.api + "/ictcore"
    answer = await Api(session, url, {}).post("/authenticate", {"username": name, "password": password})
    return Api(session, url, {"Authorization": f"Bearer {answer['token']}", "Accept": "application/json"})


def _names(people: Iterable[Person]) -> str:
    return "; ".join(f"{person.name} ({person.kind}): {', '.join(person.endings)}" for person in people)
