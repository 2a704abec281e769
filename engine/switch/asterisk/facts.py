"""AMI messages as events. Remembers which legs were answered, so that each is told once; sends nothing.

`UserEvent` and `Hangup` come from the leg's own thread, `OriginateResponse` from another one: either may be first. So
the first event of a dialled leg in a verb also tells that it was answered, and a failure that is heard after the
hang-up says nothing new.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    CallArrived,
    Declined,
    DialRefused,
    DigitsEntered,
    Event,
    FallbackExhausted,
    FallbackStarted,
    HungUp,
    Joined,
    MachineHeard,
    NoKey,
    PinWrong,
    Played,
    StepDone,
)
from engine.vocabulary.values import Cause

Message = Mapping[str, str]
DIALLED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_Plain = Played | Acknowledged | Declined | NoKey | PinWrong | MachineHeard
# what a verb says of its leg and needs no more words for
_PLAIN: Mapping[str, type[_Plain]] = {
    "played": Played, "ack": Acknowledged, "decline": Declined, "nokey": NoKey, "pin": PinWrong,
    "machine": MachineHeard,
}
_REQUEST_TERMINATED = 487
_RING_TIMEOUT = "3"      # OriginateResponse, Reason: it still rang


class Facts:
    """Reads one connection's messages after the other. `suspects`: legs whose dialling failed with no hang-up yet."""

    def __init__(self) -> None:
        self.suspects: set[str] = set()
        self._answered: set[str] = set()
        self._timed_out: set[str] = set()
        self._ended: set[str] = set()      # hung up before the answer to their dialling came

    def saw(self, live: Mapping[str, bool]) -> None:
        """After a reconnect: the legs that live now, and whether they are up. Others are forgotten."""
        self._answered = {leg for leg, is_up in live.items() if is_up and DIALLED.fullmatch(leg)}
        self._timed_out &= live.keys()
        self.suspects.clear()
        self._ended.clear()

    def read(self, message: Message, now: datetime) -> Iterator[CallArrived | Event]:
        at = stamp(message, now)
        match message.get("event"):
            case "UserEvent" if message.get("userevent") == "Rw":
                yield from self._said(message, at)
            case "OriginateResponse":
                yield from self._dialled(message, at)
            case "Hangup":
                yield from self._hung_up(message, at)
            case None:
                yield from self._replied(message, at)

    def _said(self, message: Message, at: datetime) -> Iterator[CallArrived | Event]:
        leg, channel = message.get("uniqueid", ""), message.get("channel", "")
        if not channel.startswith("PJSIP/"):      # surrogates and Local halves are no legs of ours
            return
        did, caller = _digits(message.get("n", "")), _caller(message.get("c", ""))
        if DIALLED.fullmatch(leg):
            yield from self._answer(leg, at)
        match message.get("v"):
            case "in":
                yield CallArrived(at, leg, channel, did, caller)
            case str(plain) if plain in _PLAIN:
                yield _PLAIN[plain](at, leg)
            case "ask":
                yield DigitsEntered(at, leg, message.get("d", ""))
            case "step":
                number = _number(message.get("p", ""))
                yield StepDone(at, leg, number, _keys(message.get("d", "")), message.get("s", ""))
            case "joined":
                yield Joined(at, leg, message.get("p", ""))
            case "fall":
                yield FallbackStarted(at, leg, channel, did, caller)
            case "exhausted":
                yield FallbackExhausted(at, leg)

    def _answer(self, leg: str, at: datetime) -> Iterator[Event]:
        self.suspects.discard(leg)
        if leg not in self._answered:
            self._answered.add(leg)
            yield Answered(at, leg)

    def _dialled(self, message: Message, at: datetime) -> Iterator[Event]:
        leg = message.get("actionid", "")
        if not DIALLED.fullmatch(leg):
            return
        if leg in self._ended:
            self._ended.discard(leg)
        elif message.get("response") == "Success":
            yield from self._answer(leg, at)
        elif leg not in self._answered:
            # a hang-up follows within milliseconds, unless there never was a channel or this was a second dialling
            self.suspects.add(leg)
            if message.get("reason") == _RING_TIMEOUT:
                self._timed_out.add(leg)

    def _hung_up(self, message: Message, at: datetime) -> Iterator[Event]:
        leg, channel = message.get("uniqueid", ""), message.get("channel", "")
        is_dialled = DIALLED.fullmatch(leg) is not None
        is_inbound = not is_dialled and channel.startswith("PJSIP/") and leg == message.get("linkedid")
        if not (is_dialled or is_inbound):      # a leg of the fallback, or half of a Local channel
            return
        cause, sip = _number(message.get("cause", "")), _number(message.get("techcause", ""))
        if cause == 0 or (is_inbound and sip == _REQUEST_TERMINATED):
            cause = int(Cause.NORMAL)      # a BYE while a verb runs is told with 0, a caller's CANCEL with 127
        if is_inbound or leg in self._timed_out or cause == Cause.ANSWERED_ELSEWHERE:
            # our own refusal or cancellation (seen once with 603), or Asterisk's own 480 (which stays if heard first)
            sip = 0
        if is_dialled and leg not in self.suspects | self._answered:
            self._ended.add(leg)
        for memory in (self.suspects, self._answered, self._timed_out):
            memory.discard(leg)
        yield HungUp(at, leg, cause, sip, was_left=message.get("context") == "rw-left")

    def _replied(self, message: Message, at: datetime) -> Iterator[Event]:
        is_success = message.get("response") == "Success"
        match message.get("actionid", "").split(":"):
            case ["bridge", caller, agent]:
                if is_success:
                    yield Joined(at, caller, agent)
            case ["alive", leg]:
                if leg in self.suspects and not is_success:
                    yield DialRefused(at, leg)
                self.suspects.discard(leg)
            case ["last", leg]:
                if not is_success:
                    yield DialRefused(at, leg)
            case [leg] if DIALLED.fullmatch(leg) and not is_success:
                self.suspects.discard(leg)
                yield DialRefused(at, leg)


def stamp(message: Message, now: datetime) -> datetime:
    """When it happened, by the switch's clock."""
    try:
        return datetime.fromtimestamp(float(message["timestamp"]), UTC)
    except (KeyError, ValueError):
        return now


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _keys(text: str) -> str:
    return re.sub(r"[^0-9*#]", "", text)


def _caller(text: str) -> str:
    """Some carriers write 0049… for +49…: who calls back must be known by his number."""
    return _digits(text).removeprefix("00")


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
