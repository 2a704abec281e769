"""The verb `alarm` as the memory twin acts it: see dialplans/asterisk/alarm.conf, whose order of steps is kept.

Made by `memory.py` for a leg that was dialled with, or redirected to, the alarm. The note of an acknowledgement is
there before anybody is told and before the person hears it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engine.ports import AckNote
from engine.switch.memory_stage import PROMPT_S, READ_S, Leg, Phone, Stage
from engine.vocabulary.events import Acknowledged, Declined, MachineHeard, NoKey, PinWrong, Played
from engine.vocabulary.values import AlarmAsk, Cause

AMD_S = 2.0
ASK_TRIES = 3
REPEATS = 10
CONFIRMED = "alarm-confirmed"


@dataclass(slots=True)
class AlarmTalk:
    """One leg that hears an alarm, and the person at it. `press` is for keys that no script presses."""

    stage: Stage
    leg: Leg
    ask: AlarmAsk
    phone: Phone
    questions: int = 0
    tries: int = 0
    repeats: int = 0
    pins: int = 0
    is_listening: bool = False

    def begin(self) -> None:
        self.stage._move(self.leg, "rw-alarm")
        self.leg.has_did = False
        self._later(AMD_S if self.ask.amd else 0.0, self._analysed)

    def press(self, key: str) -> None:
        """A key at the question."""
        if not self.is_listening:
            return
        self._step()
        if key == self.ask.key:
            self._pressed()
        elif key == self.ask.decline_key:
            self._declined()
        elif key == "*" and self.repeats < REPEATS:
            self.repeats += 1
            self._listen()
        else:
            self._missed()

    def _analysed(self) -> None:
        if self.ask.amd and self.phone.is_machine:
            self._tell(MachineHeard)
        self._question()

    def _question(self) -> None:
        self.tries += 1
        self._listen()

    def _listen(self) -> None:
        self._hears("alarm")
        key = self.phone.keys[self.questions:self.questions + 1].strip()
        self.questions += 1
        self.is_listening = True
        if key:
            self._later(self.phone.key_s, lambda: self.press(key))
        self._later(PROMPT_S + READ_S, self._silent)

    def _silent(self) -> None:
        self._step()
        self._missed()

    def _missed(self) -> None:
        if self.tries < (self.ask.tries or ASK_TRIES):
            self._question()
        else:
            self._unreached()

    def _pressed(self) -> None:
        if self.ask.pin and not self.ask.pin_tries:
            self._hears("alarm-pin-refused")
            self._later(PROMPT_S, self._unreached)
        elif self.ask.pin:
            self._ask_pin()
        else:
            self._keep()

    def _ask_pin(self) -> None:
        self._hears("alarm-pin")
        pin = self.phone.pins[self.pins] if self.pins < len(self.phone.pins) else ""
        self.pins += 1
        self._later(self.phone.key_s if pin else PROMPT_S + READ_S, lambda: self._entered(pin))

    def _entered(self, pin: str) -> None:
        if pin == self.ask.pin:
            self._keep()
            return
        if pin:
            self._tell(PinWrong)
            self._hears("alarm-pin-wrong")
        if self.pins < self.ask.pin_tries:
            self._ask_pin()
        else:
            self._later(PROMPT_S, self._unreached)

    def _keep(self) -> None:
        self.stage._notes[self.leg.leg] = AckNote(self.leg.leg, self.stage.now())
        self.leg.owed = CONFIRMED
        self._tell(Acknowledged)
        self._hears(CONFIRMED)
        self._later(PROMPT_S, self._thanked)

    def _thanked(self) -> None:
        self.leg.owed = ""
        self._tell(Played)
        self._later(self.stage.claim_s, self._bye)

    def _bye(self) -> None:
        self._hears("alarm-bye")
        self._later(PROMPT_S, self._end)

    def _declined(self) -> None:
        self.stage._notes[self.leg.leg] = AckNote(self.leg.leg, self.stage.now(), is_declined=True)
        self._tell(Declined)
        self._hears("alarm-declined")
        self._later(PROMPT_S, self._end)

    def _unreached(self) -> None:
        self._tell(NoKey)
        self._end()

    def _end(self) -> None:
        self.stage._end(self.leg, Cause.NORMAL, 0)

    def _step(self) -> None:
        """What the former step had in mind does not happen."""
        self.is_listening = False
        self.leg.turn += 1

    def _hears(self, sound: str) -> None:
        self.stage._hears(self.leg, sound)

    def _tell(self, kind: type[Acknowledged | Declined | NoKey | PinWrong | MachineHeard | Played]) -> None:
        self.stage._tell(kind(self.stage.now(), self.leg.leg))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.stage._later(self.leg, seconds, act)
