"""A phone with a number and a habit: what it does when it rings. Tests and the demo may also drive it by hand."""

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

from aiosipua import SipRequest

from engine.softphone.endpoint import Endpoint
from engine.softphone.g711 import Samples
from engine.softphone.journal import Entry, Journal
from engine.softphone.taken_call import TakenCall

BUSY = 486


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Seconds count from the INVITE for ring, answer and reject, from the answer for press and hang-up.

    `None` is "never". A phone with the defaults rings until somebody (a test, the other side) does something.
    """

    ring_after_s: float | None = 0.0
    early_media: Samples | None = None  # sent with a 183 instead of the 180
    answer_after_s: float | None = None
    reject_after_s: float | None = None
    reject_with: int = BUSY
    press: str = ""
    press_after_s: float | None = None
    press_after_hearing_s: float | None = None  # …seconds of sound
    then_press: tuple[tuple[float, str], ...] = ()  # more keys, each after so many seconds of sound in all
    hang_up_after_s: float | None = None
    audio: Samples | None = None  # from the answer on; None: silence
    loop_audio: bool = False
    rtp: bool = True
    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    events: bool = True  # RFC 4733; else keys are tones in the audio
    lines: int = 1  # calls at once; one more is answered with 486
    next_time: "Behaviour | None" = None  # the habit from the next call on; None: the same

    @classmethod
    def answers(cls, after_s: float = 0.1, press: str = "", press_after_s: float | None = None) -> Self:
        return cls(answer_after_s=after_s, press=press, press_after_s=press_after_s)

    @classmethod
    def rejects(cls, status: int = BUSY, after_s: float = 0.1) -> Self:
        return cls(reject_after_s=after_s, reject_with=status)

    @classmethod
    def mailbox(cls, greeting: Samples, after_s: float = 0.1) -> Self:
        """Answers, says its own greeting, never presses anything."""
        return cls(answer_after_s=after_s, audio=greeting)

    def with_(self, **changes: object) -> Self:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Phone:
    """`calls` are all it ever got, oldest first; everything done by hand is done to the last."""

    number: str
    journal: Journal
    behaviour: Behaviour = field(default_factory=Behaviour)
    calls: list[TakenCall] = field(default_factory=list)

    @property
    def call(self) -> TakenCall:
        if not self.calls:
            raise LookupError(f"phone {self.number} was never called")
        return self.calls[-1]

    @property
    def entries(self) -> list[Entry]:
        return self.journal.of(who=self.number)

    def happened(self, what: str) -> list[Entry]:
        return self.journal.of(who=self.number, what=what)

    # by hand

    def answer(self) -> None:
        self.call.answer()

    def reject(self, status: int = BUSY) -> None:
        self.call.reject(status)

    def press(self, keys: str, seconds: float = 0.1) -> Entry:
        return self.call.press(keys, seconds)

    def play(self, samples: Samples | None, loop: bool = False) -> None:
        self.call.play(samples, loop)

    def hang_up(self) -> None:
        self.call.hang_up()

    # waiting; `times` counts over the phone's whole life

    async def rung(self, timeout_s: float = 10, times: int = 1) -> Entry:
        return await self.saw("invite", timeout_s, times)

    async def answered(self, timeout_s: float = 10, times: int = 1) -> Entry:
        return await self.saw("answered", timeout_s, times)

    async def cancelled(self, timeout_s: float = 10, times: int = 1) -> Entry:
        return await self.saw("cancel", timeout_s, times)

    async def ended(self, timeout_s: float = 10, times: int = 1) -> Entry:
        return await self.saw("ended", timeout_s, times)

    async def heard(self, seconds: float = 0.2, timeout_s: float = 10) -> Entry:
        """Until the present call has received that much sound; waits for the phone to ring first."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        await self.rung(timeout_s)
        return await self.call.heard(seconds, deadline - asyncio.get_running_loop().time())

    async def saw(self, what: str, timeout_s: float = 10, times: int = 1) -> Entry:
        return await self.journal.wait(
            lambda entry: entry.what == what, f"{self.number}: {what}" + (f" ({times} times)" if times > 1 else ""),
            timeout_s, times, who=self.number)

    # for the carrier

    def take(self, endpoint: Endpoint, request: SipRequest) -> TakenCall:
        habit = self.behaviour
        call = TakenCall(
            endpoint, self.journal, self.number, request, codecs=habit.codecs, events=habit.events, rtp=habit.rtp
        )
        in_use = sum(1 for other in self.calls if other.ended_at is None)
        self.calls.append(call)
        self.behaviour = habit.next_time or habit
        if in_use >= habit.lines:
            call.reject(BUSY)
        else:
            self._follow(call, habit)
        return call

    def _follow(self, call: TakenCall, habit: Behaviour) -> None:
        later = asyncio.get_running_loop().call_later

        def answer() -> None:
            if not call.open:
                return
            call.play(habit.audio, habit.loop_audio)
            call.answer()
            if habit.press_after_s is not None:
                later(habit.press_after_s, press)
            if habit.hang_up_after_s is not None:
                later(habit.hang_up_after_s, call.hang_up)

        def press(keys: str = habit.press) -> None:
            if call.talking:
                call.press(keys)

        if habit.early_media is not None:
            call.early_media(habit.early_media)
        elif habit.ring_after_s == 0:
            call.ring()
        elif habit.ring_after_s is not None:
            later(habit.ring_after_s, call.ring)
        if habit.press_after_hearing_s is not None:
            call.when_heard(habit.press_after_hearing_s, press)
        for heard_s, keys in habit.then_press:
            call.when_heard(heard_s, partial(press, keys))
        if habit.reject_after_s is not None:
            later(habit.reject_after_s, call.reject, habit.reject_with)
        if habit.answer_after_s is not None:
            later(habit.answer_after_s, answer)
