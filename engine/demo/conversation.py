"""The demonstration's call: a caller, three agents' phones, one rejects, one presses 1, they talk, one hangs up.

Pure observation from outside: everything judged here was seen on the wire or read through the public API.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.demo.checks import Checks
from engine.demo.company import Company
from engine.softphone import Behaviour, Carrier, NeverHappened, Phone, PlacedCall
from engine.softphone.audio import chirp, read_wav
from engine.softphone.call import Call
from engine.softphone.g711 import Samples
from engine.softphone.listening import correlation, find, onset_s

CALLER = "4917604069042"  # one more number for films
ANSWERED = "the hotline answers at once"
GREETED = "the caller hears the German greeting"
RINGING = "the three phones ring at once"
REJECTED = "one phone rejects"
ASKED = "one agent answers and hears the question"
ELSEWHERE = "the third phone stops ringing: completed elsewhere"
JOINED = "both hear each other within a second of the key"
CALLER_HEARS = "the caller hears the agent, and not itself"
AGENT_HEARS = "the agent hears the caller, and not itself"
HUNG_UP = "one hangs up, and the other's line ends within a second"
LOGGED = "the call log tells the call"
RECORDED = "the telephone records tell every leg"
EXPECTED = "nobody else was rung"
CHECKS = (ANSWERED, GREETED, RINGING, REJECTED, ASKED, ELSEWHERE, JOINED, CALLER_HEARS, AGENT_HEARS, HUNG_UP, LOGGED,
          RECORDED, EXPECTED)
LOG_NEEDS = ("callerConnected", "agentCalled", "agentRejected", "agentAnswered", "agentAccepted", "bridged",
             "agentCancelled", "callEnded")
RECORD_NEEDS = [("inbound", "answered"), ("outbound", "answered"), ("outbound", "cancelled"), ("outbound", "rejected")]
TALK_S = 3.0
AT_ONCE_S = 0.5
JOINED_S = 1.0
SAME, OTHER = 0.8, 0.3  # correlation: at least, at most
CALLERS_VOICE, AGENTS_VOICE = chirp(1, 0.5), chirp(2, 0.5)  # several turns in a talk: a busy machine may disturb one


@dataclass(slots=True)
class Told:
    """What came out of the call."""

    checks: Checks = field(default_factory=lambda: Checks(CHECKS))
    call: PlacedCall | None = None
    log: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    figures_ms: dict[str, float] = field(default_factory=dict)


class Conversation:
    """One call of the demonstration. `sounds` is the folder of the running system's prompts."""

    def __init__(self, carrier: Carrier, company: Company, sounds: Path, told: Told) -> None:
        self._carrier, self._company, self._sounds, self._told = carrier, company, sounds, told
        rejecting, accepting, ringing = company.agents
        self._rejecting = carrier.phone(rejecting.number, Behaviour.rejects(603, after_s=1.2))
        self._accepting = carrier.phone(
            accepting.number, Behaviour(answer_after_s=2.5, press="1", press_after_hearing_s=2.0))
        self._ringing = carrier.phone(ringing.number)

    async def hold(self) -> None:
        """Make the call to its end. What does not happen fails its check; the rest is then not reached."""
        call = self._told.call = await self._carrier.call(
            CALLER, self._company.number, audio=CALLERS_VOICE, loop_audio=True)
        try:
            await self._connect(call)
            await self._talk(call)
        except NeverHappened as problem:
            first = str(problem).partition("; the journal")[0]
            pending = next(check.name for check in self._told.checks if check.detail == "not reached")
            self._told.checks.judge(pending, False, first)
        finally:
            call.hang_up()

    async def look_back(self) -> None:
        """What the API tells about it."""
        await self._read_back()
        strangers = [entry.who for entry in self._carrier.unknown]
        again = [phone.number for phone in self._phones if len(phone.calls) > 1]
        self._judge(EXPECTED, not strangers and not again, ", ".join(strangers + again) or "3 phones, once each")
        for phone in self._phones:
            if phone.calls:
                phone.hang_up()  # one that rings on would hold up the end of the system

    @property
    def _phones(self) -> tuple[Phone, Phone, Phone]:
        return self._rejecting, self._accepting, self._ringing

    def _judge(self, name: str, passed: bool, detail: str) -> None:
        self._told.checks.judge(name, passed, detail)

    async def _connect(self, call: PlacedCall) -> None:
        answered = await call.answered(5)
        self._judge(ANSWERED, True, f"200 after {_ms(answered.at - call.invited_at)}")
        rung = [(await phone.rung(5)).at for phone in self._phones]
        spread = max(rung) - min(rung)
        self._told.figures_ms["INVITE to the first agent's INVITE"] = 1000 * (min(rung) - call.invited_at)
        word = await call.heard(0.1, 5)
        self._told.figures_ms["ACK to the first word"] = 1000 * (
            (call.recording.first_sound_at or word.at) - answered.at)
        rejected = await self._rejecting.saw("603 sent", 5)
        await self._accepting.answered(5)
        before = call.recording.pcm(to_at=rejected.at)
        greeting = best(self._prompts("welcome"), before)
        self._judge(GREETED, greeting.value >= SAME, f"{greeting.name} {greeting.value:.2f}")
        self._judge(RINGING, spread <= AT_ONCE_S, f"within {_ms(spread)}")
        self._judge(REJECTED, True, "603 Decline")

    async def _talk(self, call: PlacedCall) -> None:
        agent = self._accepting
        await agent.saw("dtmf sent", 10)
        agent.play(AGENTS_VOICE, loop=True)
        question = agent.call.received
        asked = best(self._prompts("ask"), question)
        self._judge(ASKED, asked.value >= SAME, f"{asked.name} {asked.value:.2f}, pressed 1")
        pressed = await agent.saw("dtmf ended", 3)
        await asyncio.sleep(TALK_S)  # the talk itself: this is how long they speak
        lost = self._ringing.happened("cancel")
        self._judge(ELSEWHERE, bool(lost) and lost[0].cause == 26, "it rang on" if not lost else
                    f"cause {lost[0].cause}, {_ms(lost[0].at - pressed.at)} after the key")
        self._heard(CALLER_HEARS, call.recording.pcm(from_at=pressed.at), AGENTS_VOICE, CALLERS_VOICE)
        self._heard(AGENT_HEARS, agent.call.recording.pcm(from_at=pressed.at), CALLERS_VOICE, AGENTS_VOICE)
        self._judge_joined([accept_to_audio_s(call, AGENTS_VOICE, pressed.at),
                            accept_to_audio_s(agent.call, CALLERS_VOICE, pressed.at)])
        agent.hang_up()
        ended = await call.ended(5)
        took = ended.at - (agent.call.ended_at or ended.at)
        self._judge(HUNG_UP, took <= 1.0, f"the agent hung up, the caller's line ended {_ms(took)} later")

    def _judge_joined(self, took: list[float | None]) -> None:
        """Also the dialplan would join them in the end, without an engine; that is not what this shows."""
        heard = [seconds for seconds in took if seconds is not None]
        if len(heard) < len(took):
            self._judge(JOINED, False, "one of them never heard the other")
            return
        self._told.figures_ms["accept to audio both ways"] = 1000 * max(heard)
        self._judge(JOINED, max(heard) <= JOINED_S, f"after {_ms(max(heard))}")

    def _heard(self, name: str, recording: Samples, other: Samples, own: Samples) -> None:
        theirs, mine = correlation(other, recording), correlation(own, recording)
        self._judge(name, theirs >= SAME and mine <= OTHER,
                    f"correlation {theirs:.2f} with the other, {mine:.2f} with itself")

    async def _read_back(self) -> None:
        """The log is complete when it says that the call ended; the records come with it."""
        told = self._told
        try:
            async with asyncio.timeout(5):
                while "callEnded" not in _types(told.log) or len(told.records) < len(RECORD_NEEDS):
                    await asyncio.sleep(0.1)
                    told.log, told.records = await self._company.log(), await self._company.records()
        except TimeoutError:
            pass
        missing = [kind for kind in LOG_NEEDS if kind not in _types(told.log)]
        self._judge(LOGGED, not missing, f"missing: {', '.join(missing)}" if missing else
                    f"{len(told.log['entries'])} entries")
        seen = sorted((record["direction"], record["status"]) for record in told.records)
        self._judge(RECORDED, seen == RECORD_NEEDS, ", ".join(" ".join(pair) for pair in seen) or "none")

    def _prompts(self, recorded: str) -> list[Path]:
        """Where the text may have come from: rendered for this hotline, or the recorded default."""
        return [*self._sounds.glob(f"de/{recorded}.*"), *self._sounds.glob("cache/**/*.wav")]


@dataclass(frozen=True, slots=True)
class Best:
    name: str
    value: float


def best(prompts: list[Path], recording: Samples, seconds: float = 1.0) -> Best:
    """The prompt whose first second fits best into what was heard."""
    found = [Best(f"{path.parent.name}/{path.stem}", find(read_wav(path)[: round(seconds * 8000)], recording).value)
             for path in prompts if path.suffix == ".wav"]
    return max(found, key=lambda prompt: prompt.value, default=Best("no prompt", 0.0))


def accept_to_audio_s(side: Call, voice: Samples, pressed_at: float) -> float | None:
    """From the end of the key until the first packet of the other's voice; None if it never came."""
    stretch = side.recording.stretch(from_at=pressed_at)
    onset = onset_s(voice, stretch.samples)
    return None if onset is None else stretch.arrived_at(onset) - pressed_at


def _types(log: dict[str, Any]) -> set[str]:
    return {entry["type"] for entry in log.get("entries", [])}


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
