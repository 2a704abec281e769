"""The steps of a program while somebody is on the line: what is said, what was pressed, which step is next. Pure.

Used by `program.py` alone. `entered` begins a step, `step_done` hears how what its leg was told ended, and `_next`
follows the link that fits. Each step leaves a result. A key that opts out is heard in every step that says something.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from engine.flows.flow import Step
from engine.flows.program_ends import LONGEST_DATA, closing, over, reached
from engine.flows.program_state import State, current, peer_timer
from engine.policy.scheme import with_results
from engine.vocabulary.commands import (
    Command,
    HangUp,
    Hold,
    Play,
    Render,
    RunStep,
    Transfer,
    WriteOptOut,
    WriteResult,
)
from engine.vocabulary.program import ProgramStep, Prompt
from engine.vocabulary.values import Cause

MOST_STEPS = 200     # a program that goes round in circles ends
OPT_OUT_WAIT_S = 1   # after a sound a key may still be pressed: the shortest that the switch knows
REPEATS = 2          # a key that means nothing cuts a sound short: so often it is begun again
SPEAKS = ("play", "say")
ASKS = ("menu", "input")


# --- a step begins -----------------------------------------------------------------------------------------------


def first_prompt(state: State) -> tuple[State, Prompt]:
    """What a leg does as soon as it is answered: the first step at once, if that can be told to a leg, else nothing."""
    begun = replace(state, place=0, steps=1)
    prompt = _prompt(begun, _fixed_sound(begun))
    if prompt is None:
        return replace(state, prompt=state.prompt + 1), Prompt("pause", state.prompt + 1)
    return replace(begun, prompt=prompt.number, part=_part(begun, prompt)), prompt


def entered(state: State, place: int, at: datetime) -> Step[State]:
    """Go on with this step."""
    if place >= len(state.plan.steps) or state.steps >= MOST_STEPS:
        return closing(state, at)
    return _told(replace(state, place=place, part="", tries=0, steps=state.steps + 1), at)


def _told(state: State, at: datetime) -> Step[State]:
    """Tell the leg what the current step wants of it now."""
    step = current(state)
    assert step is not None  # noqa: S101
    if step.kind in IMMEDIATE:
        return IMMEDIATE[step.kind](state, step, at)
    sound = _fixed_sound(state)
    if sound is None:
        render = Render(_key(state), state.plan.language, _words(state, step), is_personal=True)
        return Step(replace(state, part="rendering"), (render,))
    return _run(state, sound, at)


def _run(state: State, sound: str, at: datetime) -> Step[State]:
    prompt = _prompt(state, sound)
    if prompt is None:
        return _next(state, "error", at)
    return Step(replace(state, prompt=prompt.number, part=_part(state, prompt)), (RunStep(state.leg, prompt),))


def rendered(state: State, key: str, sound: str, at: datetime) -> Step[State]:
    if state.phase != "running" or state.part != "rendering" or key != _key(state):
        return Step(state)
    if not sound:
        return _next(state, "error", at, "speech failed")
    return _run(state, sound, at)


def unspoken(state: State) -> tuple[Command, ...]:
    """What was asked for and not answered: the order died with the engine."""
    step = current(state)
    if state.part != "rendering" or step is None:
        return ()
    return (Render(_key(state), state.plan.language, _words(state, step), is_personal=True),)


def _key(state: State) -> str:
    return f"{state.place}.{state.steps}"


def _words(state: State, step: ProgramStep) -> str:
    return with_results(step.text, dict(state.results))


def _fixed_sound(state: State) -> str | None:
    """None: its words are only known now."""
    step = current(state)
    sound = state.plan.sounds[state.place]
    return None if step is not None and not sound and step.text else sound


def _prompt(state: State, sound: str | None) -> Prompt | None:
    """None: this step is nothing that a leg is told, or its words are not spoken yet."""
    step, number = current(state), state.prompt + 1
    if step is None or sound is None:
        return None
    match step.kind:
        case "play" | "say" if sound:
            return _spoken(state, step, number, sound)
        case "menu":
            return Prompt("collect", number, sound, digits=1, timeout_s=step.timeout_s)
        case "input":
            ends = _is_last(state.plan.steps, step)
            return Prompt("collect", number, sound, digits=step.digits, timeout_s=step.timeout_s,
                          is_last=ends and state.tries + 1 >= step.tries, is_last_by_key=ends)
        case "record" if sound and state.part != "asked":
            return Prompt("play", number, sound)
        case "record":
            file = f"{state.plan.spool_id}-{state.place + 1}"
            return Prompt("record", number, seconds=step.seconds, file=file)
        case "amd":
            return Prompt("amd", number)
        case "wait":
            return Prompt("pause", number, seconds=step.seconds)
        case _:
            return None


def _spoken(state: State, step: ProgramStep, number: int, sound: str) -> Prompt:
    is_last = _is_last(state.plan.steps, step)
    if not state.plan.opt_out_key:
        return Prompt("play", number, sound, is_last=is_last)
    return Prompt("collect", number, sound, digits=1, timeout_s=OPT_OUT_WAIT_S, is_last=is_last)


def _is_last(steps: tuple[ProgramStep, ...], step: ProgramStep) -> bool:
    """Whatever becomes of it, the call ends after it."""
    return all(steps[place].kind == "disconnect" for _, place in step.links)


def _part(state: State, prompt: Prompt) -> str:
    step = current(state)
    return "asking" if step is not None and step.kind == "record" and prompt.verb == "play" else ""


# --- a step that is done at once ---------------------------------------------------------------------------------


def _disconnect(state: State, step: ProgramStep, at: datetime) -> Step[State]:
    return closing(state, at)


def _opted_out(state: State, step: ProgramStep, at: datetime) -> Step[State]:
    """The step `dnc`."""
    state = replace(state, has_opted_out=True)
    after = _next(state, "success", at)
    return Step(after.state, (_opt_out(state, at), *after.commands))


def _transfer(state: State, step: ProgramStep, at: datetime) -> Step[State]:
    held = replace(state, phase="transferring", peer_stage="wanted", peer_skip=0, since=at, was_heard=True)
    return Step(held, (Hold(state.leg), *peer_timer(held, at)))


def _to_hotline(state: State, step: ProgramStep, at: datetime) -> Step[State]:
    """From here on he is the hotline's caller, and this call is over."""
    result = _result(state, at, "application", "transfer", "success")
    after = over(replace(state, was_heard=True), at, reached(state), Cause.NORMAL)
    return Step(after.state, (Transfer(state.leg, step.to, state.plan.number), result, *after.commands))


IMMEDIATE: Mapping[str, Callable[[State, ProgramStep, datetime], Step[State]]] = {
    "disconnect": _disconnect, "dnc": _opted_out, "transfer": _transfer, "hotline": _to_hotline,
}


# --- a step is done ----------------------------------------------------------------------------------------------


def step_done(state: State, number: int, digits: str, status: str, at: datetime) -> Step[State]:
    if state.phase != "running" or number != state.prompt:
        return Step(state)
    step = current(state)
    if step is None:
        return entered(state, 0, at)
    if step.kind in SPEAKS:
        return _was_spoken(state, step, digits, at)
    if step.kind == "menu":
        return _chosen(state, step, digits, at)
    if step.kind == "input":
        return _typed(state, step, digits, at)
    if step.kind == "record" and state.part == "asking":
        return _told(replace(state, part="asked"), at)
    if step.kind == "amd":
        return _judged(state, status, at)
    return _next(state, "success", at, status)


def _was_spoken(state: State, step: ProgramStep, digits: str, at: datetime) -> Step[State]:
    if digits and digits == state.plan.opt_out_key:
        return _opts_out(state, at)
    if not digits:
        return _was_heard(replace(state, was_heard=True), step, at)
    pressed = _result(state, at, "info", "dtmf", digits)
    if any(label == digits for label, _ in step.links) or state.tries >= REPEATS:
        after = _next(replace(state, was_heard=True), digits, at)
    else:
        after = _told(replace(state, tries=state.tries + 1), at)
    return Step(after.state, (pressed, *after.commands))


def _was_heard(state: State, step: ProgramStep, at: datetime) -> Step[State]:
    """Behind the last step nobody needs to hang up: the switch does."""
    if not _is_last(state.plan.steps, step):
        return _next(state, "success", at)
    return Step(replace(state, phase="closing"), (_result(state, at, "application", step.kind, "success"),))


def _chosen(state: State, step: ProgramStep, digits: str, at: datetime) -> Step[State]:
    if digits and digits in step.valid:
        return _answered_by_key(state, step, digits, at)
    if digits and digits == state.plan.opt_out_key:
        return _opts_out(state, at)
    if state.tries + 1 < step.tries:
        return _told(replace(state, tries=state.tries + 1), at)
    return _next(state, "timeout", at)


def _typed(state: State, step: ProgramStep, digits: str, at: datetime) -> Step[State]:
    if not digits and state.tries + 1 < step.tries:
        return _told(replace(state, tries=state.tries + 1), at)
    after = _answered_by_key(state, step, digits, at) if digits else _next(state, "timeout", at)
    if not _is_last(state.plan.steps, step):
        return after
    told = tuple(command for command in after.commands if not isinstance(command, HangUp))
    return Step(after.state, told)  # the switch hangs up


def _answered_by_key(state: State, step: ProgramStep, digits: str, at: datetime) -> Step[State]:
    """The digits are a result by the name that all of them have, and by the step's own."""
    told = [_result(state, at, "info", "dtmf", digits)]
    if step.name and step.name != "dtmf":
        told.append(_result(state, at, "info", step.name, digits))
    name = step.name or "dtmf"
    results = (*((known, data) for known, data in state.results if known != name), (name, digits))
    after = _next(replace(state, results=results, was_heard=True), digits, at)
    return Step(after.state, (*told, *after.commands))


def _judged(state: State, status: str, at: datetime) -> Step[State]:
    """A hint of the switch; what the program does with it is its own."""
    heard = replace(state, is_machine=status == "machine", was_heard=False)
    return _next(heard, status, at, status)


def _opts_out(state: State, at: datetime) -> Step[State]:
    """He hears that it is noted, and that is the end."""
    state = replace(state, has_opted_out=True, phase="closing")
    pressed = _result(state, at, "info", "dtmf", state.plan.opt_out_key)
    told = (pressed, _result(state, at, "contact", "dnc", "opted out"), _opt_out(state, at))
    return Step(state, (*told, Play(state.leg, f"{state.plan.voice}/opted-out", then="bye")))


def _opt_out(state: State, at: datetime) -> WriteOptOut:
    return WriteOptOut(at, state.plan.organisation_id, state.plan.number)


def _next(state: State, label: str, at: datetime, said: str = "") -> Step[State]:
    """Follow the link of this label, of how it ended, or the one for every end; without any the call ends."""
    step = current(state)
    assert step is not None  # noqa: S101
    kind = "error" if label in ("error", "timeout") else "success"
    result = _result(state, at, "application", step.kind, said or (label if label == "timeout" else kind))
    links = dict(step.links)
    place = next((links[it] for it in (label, kind, "") if it in links), None)
    after = closing(state, at) if place is None else entered(replace(state, phase="running"), place, at)
    return Step(after.state, (result, *after.commands))


def transfer_failed(state: State, at: datetime, said: str) -> Step[State]:
    """Nobody took the call that was to be handed over."""
    return _next(replace(state, peer="", peer_stage="", phase="running"), "error", at, said)


def _result(state: State, at: datetime, kind: str, name: str, data: str) -> WriteResult:
    return WriteResult(at, state.plan.spool_id, state.place + 1, kind, name[:LONGEST_DATA], data[:LONGEST_DATA])
