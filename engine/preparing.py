"""A claimed attempt becomes a plan: its program's steps, and the sounds of what they say. Of `campaigns.py`.

Speech and recordings are made before anybody is dialled. What many hear is asked for once in KEPT_S, one person's own
each time. What is only known in the call (a result of a step before) is left to the flow.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace

from engine.campaign_ports import Attempt, CampaignStore
from engine.policy.placeholders import filled, has_results
from engine.policy.scheme import SchemeInvalid, steps_of
from engine.ports import Speech, SpeechFailed
from engine.vocabulary.program import ProgramPlan, ProgramStep

KEPT_S = 10.0
MOST_KEPT = 1000
MOST_AHEAD = 20_000
PERSONAL, AHEAD = 1, 2  # urgencies of ports.Speech


class CannotBePrepared(Exception):
    """`is_final`: trying again later changes nothing."""

    def __init__(self, why: str, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


class Preparing:
    def __init__(self, store: CampaignStore, speech: Speech, ring_timeout_s: int, voices: Callable[[str], str]) -> None:
        """`voices`: the recorded prompts' language for any language."""
        self._store = store
        self._speech = speech
        self._ring_timeout_s = ring_timeout_s
        self._voices = voices
        self._kept: OrderedDict[tuple[object, ...], tuple[float, str]] = OrderedDict()
        self._ahead: OrderedDict[tuple[str, str], None] = OrderedDict()     # spoken before their time, once

    async def plan(self, attempt: Attempt) -> ProgramPlan:
        """Raises CannotBePrepared, StoreFailed."""
        steps = self._steps(attempt)
        words = [filled(step.text, attempt.fields) for step in steps]
        try:
            sounds = [await self._sound(attempt, *said) for said in zip(steps, words, strict=True)]
        except SpeechFailed as error:
            raise CannotBePrepared(f"speech failed: {error}", is_final=False) from error
        return ProgramPlan(
            spool_id=attempt.spool_id, transmission_id=attempt.transmission_id, campaign_id=attempt.campaign_id,
            organisation_id=attempt.organisation_id, number=attempt.number, caller_id=attempt.caller_id,
            language=attempt.language, voice=self._voices(attempt.language), ring_timeout_s=self._ring_timeout_s,
            steps=tuple(replace(step, text=said) for step, said in zip(steps, words, strict=True)),
            sounds=tuple(sounds), tries_left=attempt.tries_left, retry=attempt.retry,
            opt_out_key=attempt.opt_out_key, calls_per_second=attempt.calls_per_second,
        )

    async def ahead(self, attempt: Attempt) -> None:
        """Make the speech of somebody who is called later. Fails silently: it is asked for again in time."""
        try:
            for step in self._steps(attempt):
                words = filled(step.text, attempt.fields)
                said = (words, attempt.language)
                if words == step.text or has_results(words) or said in self._ahead:
                    continue
                await self._speech.render(*said, urgency=AHEAD)
                self._ahead[said] = None
                if len(self._ahead) > MOST_AHEAD:
                    self._ahead.popitem(last=False)
        except (CannotBePrepared, SpeechFailed):
            return

    def _steps(self, attempt: Attempt) -> tuple[ProgramStep, ...]:
        data = {**attempt.program, "to": attempt.extension} if attempt.extension else attempt.program
        try:
            found = steps_of(attempt.program_type, data)
        except SchemeInvalid as error:
            raise CannotBePrepared(f"the program cannot be run: {error}", is_final=True) from error
        return tuple(self._handed_over(attempt, step) if step.to else step for step in found)

    def _handed_over(self, attempt: Attempt, step: ProgramStep) -> ProgramStep:
        """To a hotline of the organisation, or to a number that it may dial."""
        if step.to in attempt.hotlines:
            return replace(step, kind="hotline")
        if why := self._store.refused(step.to, attempt.countries):
            raise CannotBePrepared(f"the number to transfer to is {why}", is_final=True)
        return step

    async def _sound(self, attempt: Attempt, step: ProgramStep, words: str) -> str:
        """'' for a step that says nothing, or something that is not known yet."""
        if step.recording_id is not None:
            recording = (attempt.organisation_id, step.recording_id)
            return await self._once(recording, lambda: self._recording(*recording))
        if not words or has_results(words):
            return ""
        if words != step.text:
            return await self._speech.render(words, attempt.language, urgency=PERSONAL)
        return await self._once((words, attempt.language), lambda: self._speech.render(words, attempt.language))

    async def _recording(self, organisation_id: int, recording_id: int) -> str:
        wav = await self._store.recording(organisation_id, recording_id)
        if wav is None:
            raise CannotBePrepared(f"there is no recording {recording_id}", is_final=True)
        return await self._speech.convert(wav)

    async def _once(self, key: tuple[object, ...], make: Callable[[], Awaitable[str]]) -> str:
        """What was made a moment ago is made no more; a recording that was replaced is heard KEPT_S later."""
        made_s, sound = self._kept.get(key, (-KEPT_S, ""))
        if time.monotonic() - made_s < KEPT_S:
            return sound
        sound = await make()
        self._kept[key] = (time.monotonic(), sound)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return sound

