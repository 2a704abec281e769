"""The verb `step` as the memory twin acts it: see dialplans/asterisk/program.conf, whose order of steps is kept.

Made by `memory.py` for a leg that was dialled for a program.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engine.switch.memory_stage import PROMPT_S, Leg, Phone, Stage
from engine.vocabulary.events import StepDone
from engine.vocabulary.program import Prompt
from engine.vocabulary.values import Cause

AMD_S = 2.0
# what the twin records: a WAV of a tenth of a second
HEARD = (b"RIFF" + (1636).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little") + b"\x01\x00\x01\x00"
         + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little") + b"\x02\x00\x10\x00data"
         + (1600).to_bytes(4, "little") + bytes(1600))
NEXT_WITHIN_S = 10.0    # without the next step by then the call ends


@dataclass(slots=True)
class StepsTalk:
    """One leg that runs a program, and the person at it."""

    stage: Stage
    leg: Leg
    phone: Phone
    questions: int = 0

    def run(self, prompt: Prompt) -> None:
        self.stage._move(self.leg, "rw-step")
        if prompt.sound:
            self.stage._hears(self.leg, prompt.sound)
        match prompt.verb:
            case "collect":
                self._collect(prompt)
            case "record":
                self.leg.records = prompt.file
                self._later(min(prompt.seconds, PROMPT_S), lambda: self._recorded(prompt))
            case "amd":
                heard = "machine" if self.phone.is_machine else "human"
                self._later(AMD_S, lambda: self._done(prompt, status=heard))
            case "pause":
                self._later(prompt.seconds, lambda: self._done(prompt))
            case _:
                self._later(PROMPT_S, lambda: self._done(prompt))

    def _collect(self, prompt: Prompt) -> None:
        keys = self.phone.enters[self.questions] if self.questions < len(self.phone.enters) else ""
        self.questions += 1
        digits, end, _ = keys.partition("#")
        digits = digits[:prompt.digits]
        is_whole = bool(end) or len(digits) == prompt.digits
        waits_s = self.phone.key_s if keys else PROMPT_S
        self._later(waits_s + (0.0 if is_whole else prompt.timeout_s), lambda: self._done(prompt, digits))

    def _recorded(self, prompt: Prompt) -> None:
        self.stage._keep_recording(self.leg)
        self._done(prompt, status="recorded")

    def _done(self, prompt: Prompt, digits: str = "", status: str = "") -> None:
        self.stage._tell(StepDone(self.stage.now(), self.leg.leg, prompt.number, digits, status))
        is_last = prompt.is_last_by_key if digits else prompt.is_last
        after_s = 0.0 if is_last else NEXT_WITHIN_S
        self._later(after_s, lambda: self.stage._end(self.leg, Cause.NORMAL, 0))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.stage._later(self.leg, seconds, act)
