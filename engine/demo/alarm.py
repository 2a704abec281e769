"""The demonstration's second scene: an alarm to five phones, of which two must acknowledge.

One is a mailbox, one declines, one wants to hear it again (`*`) and then presses 1, one is busy and presses 1 when it
is rung again, one rings until it is no longer needed. Everything judged here was seen on the wire or read through the
public API.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.demo.board import Board
from engine.demo.checks import Checks
from engine.demo.company import MOBILE, Company, own_number
from engine.demo.conversation import best
from engine.demo.system import System
from engine.softphone import Behaviour, Carrier, NeverHappened, Phone
from engine.softphone.audio import chirp, read_wav, tone
from engine.softphone.g711 import RATE, Samples
from engine.softphone.listening import Match, find, hears

POSTED = "an alarm to five people is taken"
RINGING = "the five phones ring at once"
MAILBOX = "a mailbox answers, and is nobody who was reached"
DECLINED = "one declines with 9, and is not rung again"
REPEATED = "one presses *, hears it all again, and then presses 1"
THANKED = "who pressed 1 hears that it is saved"
CLOSED = "and then how many have agreed"
AGAIN = "the busy phone is rung again, and presses 1"
ELSEWHERE = "the phone that still rings stops: completed elsewhere"
ENOUGH = "who still listens hears that enough have acknowledged"
COUNTED = "the API counts right"
TOLD = "the timeline tells it"
LIVE = "all of it came as events, while it happened"
ONCE = "nobody was rung a time too often"
CHECKS = (POSTED, RINGING, MAILBOX, DECLINED, REPEATED, THANKED, CLOSED, AGAIN, ELSEWHERE, ENOUGH, COUNTED, TOLD, LIVE,
          ONCE)

TEXT = "Übung! Brand in {place}. {name}, bitte kommen."
FIELDS = {"place": "Halle 3"}
COUNTS = {"acknowledged": 2, "declined": 1, "unreached": 2}
TIMELINE = ("ringing", "dialled", "busy", "declined", "acknowledged", "quorumReached", "cancelled", "finished")
EVENTS = ("alarm.created", "recipient.dialled", "recipient.declined", "recipient.acknowledged", "alarm.acknowledged",
          "alarm.finished")
OVER_S = 40
AT_ONCE_S, CANCELLED_S = 1.0, 1.0  # each name is spoken before its dial
GREETING: Samples = np.concatenate([chirp(7, 1.5, 0.2), tone(1000, seconds=0.4)])

# first phones of the film numbers after those of the agents
MAILBOX_PHONE = Behaviour.mailbox(GREETING, after_s=0.8)
DECLINING = Behaviour(answer_after_s=1.5, press="9", press_after_hearing_s=2.5)
REPEATING = Behaviour(answer_after_s=0.7, then_press=((2.0, "*"), (4.5, "1")))
BUSY_FIRST = Behaviour.rejects(486, after_s=0.5).with_(
    next_time=Behaviour(answer_after_s=1.0, press="1", press_after_hearing_s=3.0))
PEOPLE = (("Dora", MAILBOX_PHONE), ("Emil", DECLINING), ("Frida", REPEATING), ("Gustav", BUSY_FIRST),
          ("Hanna", Behaviour()))
TIMES_RUNG = (1, 1, 1, 2, 1)


@dataclass(slots=True)
class AlarmTold:
    """What came out of the alarm. `alarm` is what the API said at its end."""

    checks: Checks = field(default_factory=lambda: Checks(CHECKS))
    alarm: dict[str, Any] = field(default_factory=dict)
    figures_ms: dict[str, float] = field(default_factory=dict)


class AlarmScene:
    """One alarm. `sounds` is the folder of the running system's prompts."""

    def __init__(
        self, carrier: Carrier, system: System, company: Company, sounds: Path, board: Board, told: AlarmTold
    ) -> None:
        self._carrier, self._system, self._company, self._sounds = carrier, system, company, sounds
        self._board, self._told = board, told
        self._events: list[str] = []
        self._listening, self._over = asyncio.Event(), asyncio.Event()
        self._alarm_id = 0
        self._posted_at = 0.0
        self.mailbox, self.declining, self.repeating, self.busy, self.ringing = self._phones = [
            carrier.phone(f"{MOBILE}0{3 + place}", behaviour) for place, (_, behaviour) in enumerate(PEOPLE)]

    async def play(self) -> None:
        """Post it and watch to the end. What does not happen fails its check; the rest is then not reached."""
        await own_number(self._system, self._company)
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                await self._listening.wait()
                try:
                    await self._post()
                    async with asyncio.timeout(OVER_S):
                        await self._over.wait()
                except TimeoutError:
                    pass  # the checks say what did not happen
                finally:
                    watching.cancel()
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from None
        self._told.alarm = await self._company.v1.get(f"/alarms/{self._alarm_id}")
        self._board.end(self._told.alarm)
        try:
            self._look_back()
        except NeverHappened as problem:
            pending = next(check.name for check in self._told.checks if check.detail == "not reached")
            self._judge(pending, False, str(problem).partition("; the journal")[0])
        for phone in self._phones:
            if phone.calls:
                phone.hang_up()  # one that rings on would hold up the end of the system

    async def _post(self) -> None:
        self._posted_at = time.monotonic()
        alarm = await self._company.v1.post("/alarms", {
            "organizationID": self._company.organisation_id, "message": {"de": TEXT}, "fields": FIELDS,
            "recipients": [
                {"phone": f"+{phone.number}", "name": name, "language": "de"}
                for phone, (name, _) in zip(self._phones, PEOPLE, strict=True)],
            "acknowledge": {"needed": 2}, "retry": {"rounds": 2, "pauseS": 1}, "ringTimeoutS": 30,
        }, key=secrets.token_hex(8))
        self._alarm_id = alarm["id"]
        self._board.begin(alarm)
        self._judge(POSTED, True, f"alarm {self._alarm_id}, 201 after {_ms(time.monotonic() - self._posted_at)}")

    async def _watch(self) -> None:
        async for event in self._company.v1.events():
            self._listening.set()
            self._board.tell(event)
            if event.data.get("alarmID"):
                self._events.append(event.type)
            if event.type == "alarm.finished" and event.data["alarmID"] == self._alarm_id:
                self._over.set()

    def _look_back(self) -> None:
        alarm = self._told.alarm
        self._judge_phones()
        counts = {name: alarm["counts"][name] for name in COUNTS}
        self._judge(COUNTED, counts == COUNTS and alarm["state"] == "acknowledged",
                    f"{alarm['state']}, " + ", ".join(f"{value} {name}" for name, value in counts.items()))
        self._judge_all_in(TOLD, TIMELINE, [note["type"] for note in alarm["timeline"]])
        self._judge_all_in(LIVE, EVENTS, self._events)
        strangers = [entry.who for entry in self._carrier.unknown]
        rung = tuple(len(phone.calls) for phone in self._phones)
        self._judge(ONCE, rung == TIMES_RUNG and not strangers, ", ".join(
            [*(f"{name} {times}" for (name, _), times in zip(PEOPLE, rung, strict=True)), *strangers]))

    def _judge_phones(self) -> None:
        first = [phone.calls[0].invited_at for phone in self._phones if phone.calls]
        if not first:
            raise NeverHappened("no phone rang")
        self._told.figures_ms["POST to the first INVITE"] = 1000 * (min(first) - self._posted_at)
        spread = max(first) - min(first)
        self._judge(RINGING, len(first) == len(PEOPLE) and spread <= AT_ONCE_S, f"{len(first)}, within {_ms(spread)}")
        states = {person["name"]: person["state"] for person in self._told.alarm["recipients"]}
        self._judge(MAILBOX, bool(self.mailbox.happened("answered")) and states["Dora"] == "unreached",
                    f"Dora is {states['Dora']}")
        declined = self._hears(self.declining, "alarm-declined")
        self._judge(DECLINED, declined is not None and states["Emil"] == "declined" and len(self.declining.calls) == 1,
                    f"Emil is {states['Emil']}, hears it: {_value(declined)}")
        self._judge_repeated()
        self._judge_thanked()
        self._judge(AGAIN, len(self.busy.calls) == 2 and states["Gustav"] == "acknowledged",
                    f"rung {len(self.busy.calls)} times, Gustav is {states['Gustav']}")
        self._judge_elsewhere()
        enough = self._hears(self.mailbox, "alarm-enough")
        self._judge(ENOUGH, enough is not None, _value(enough))

    def _judge_repeated(self) -> None:
        star, one = ([entry.at for entry in self.repeating.happened("dtmf ended") if entry.detail == key]
                     for key in "*1")
        if not (star and one):
            raise NeverHappened("Frida did not come to press * and then 1")
        intro = read_wav(self._sounds / "de" / "alarm-intro.wav")
        recording = self.repeating.call.recording
        before, after = recording.pcm(to_at=star[0]), recording.pcm(from_at=star[0], to_at=one[0])
        heard = [find(intro, part).value for part in (before, after)]
        self._judge(REPEATED, min(heard) >= 0.8, "correlation {:.2f}, and after the * {:.2f}".format(*heard))

    def _judge_thanked(self) -> None:
        """The last words are spoken for this alarm: what of the cache is heard after the recorded thank-you?"""
        phones = self.repeating, self.busy
        thanked = [self._hears(phone, "alarm-confirmed") for phone in phones]
        self._judge(THANKED, None not in thanked, ", ".join(map(_value, thanked)))
        spoken = list(self._sounds.glob("cache/**/*.wav"))
        words = [best(spoken, phone.call.received[round((match.offset_s + 2) * RATE):])
                 for phone, match in zip(phones, thanked, strict=True) if match is not None]
        self._judge(CLOSED, len(words) == 2 and min(said.value for said in words) >= 0.8,
                    ", ".join(f"correlation {said.value:.2f}" for said in words))

    def _judge_elsewhere(self) -> None:
        lost, keys = self.ringing.happened("cancel"), [
            entry.at for phone in (self.repeating, self.busy) for entry in phone.happened("dtmf ended")
            if entry.detail == "1"]
        if not lost or not keys:
            raise NeverHappened("Hanna's phone was not cancelled")
        took = lost[0].at - max(keys)
        self._told.figures_ms["the second 1 to the CANCEL"] = 1000 * took
        self._judge(ELSEWHERE, lost[0].cause == 26 and took <= CANCELLED_S,
                    f"cause {lost[0].cause}, {_ms(took)} after the second 1")

    def _hears(self, phone: Phone, prompt: str) -> Match | None:
        """In its last call, the prompt's first second and a half."""
        return hears(phone.call.received, self._sounds / "de" / f"{prompt}.wav", 1.5) if phone.calls else None

    def _judge_all_in(self, name: str, wanted: tuple[str, ...], found: list[str]) -> None:
        missing = [what for what in wanted if what not in found]
        self._judge(name, not missing, f"missing: {', '.join(missing)}" if missing else f"{len(found)} entries")

    def _judge(self, name: str, passed: bool, detail: str) -> None:
        self._told.checks.judge(name, passed, detail)


def _value(match: Match | None) -> str:
    return "not heard" if match is None else f"correlation {match.value:.2f}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
