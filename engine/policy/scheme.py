"""Programs that are run by voice, as what an API took for them becomes steps. Pure.

Called by `api/ictcore` when a program is made or changed, so that what is stored can be run, and by the store when a
program is claimed to be run. The five types and their fields: contracts/ictcore.md 3.4.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.policy.placeholders import PLACEHOLDERS as PLACEHOLDERS
from engine.policy.placeholders import filled as filled
from engine.policy.placeholders import with_results as with_results
from engine.policy.scheme_fields import DIGITS, LARGEST_ID, Fields, phone_digits, written
from engine.policy.scheme_fields import SchemeInvalid as SchemeInvalid
from engine.policy.scheme_graph import Node, nodes_of
from engine.vocabulary.program import ProgramStep

LONGEST_WAIT_S = 120.0
LONGEST_RECORD_S = 120
MOST_DIGITS = 99
KEYS = DIGITS | {"*"}       # `#` ends what is entered
NUMBERS = "numbers"         # of `data`: by node, what its number stands for in E.164; written by the API


def steps_of(type: str, data: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    """The first step is the one at place 0. Raises SchemeInvalid, also for a type that is not run by voice.

    `data` of agent and forward has `to`, the extension's phone; that of ivr may have NUMBERS.
    """
    build = _BUILDERS.get(type)
    if build is None:
        raise SchemeInvalid("type", "is not run by voice")
    return build(data)


def recordings_of(steps: Iterable[ProgramStep]) -> set[int]:
    return {it.recording_id for it in steps if it.recording_id is not None}


def texts_of(steps: Iterable[ProgramStep]) -> set[str]:
    """What is spoken, with its placeholders."""
    return {it.text for it in steps if it.text}


def transfers_of(data: Mapping[str, Any]) -> list[Node]:
    """The nodes of an ivr that lead to a number (`to`) or to a hotline (`hotline_id`)."""
    return [it for it in nodes_of(data.get("ivr_scheme")) if it.kind == "transfer"]


# --- the types

def _voicemessage(data: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    recording_id = Fields(data).whole("recording_id", low=1, high=LARGEST_ID)
    return (ProgramStep("play", "play", recording_id=recording_id),)


def _voicetts(data: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    text = _needed_text(Fields(data), "text")
    delay_s = Fields(data).seconds("delay", longest=LONGEST_WAIT_S, default=0.0)
    said = ProgramStep("say", "say", text=text)
    if not delay_s:
        return (said,)
    return (ProgramStep("say", "say", text=text, links=(("", 1),)),
            ProgramStep("wait", "wait", seconds=delay_s, links=(("", 2),)), said)


def _transfer(data: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    to = phone_digits(data.get("to"))
    if to is None:
        raise SchemeInvalid("extension_id", "has no phone number")
    return (ProgramStep("transfer", "transfer", to=to),)


def _ivr(data: Mapping[str, Any]) -> tuple[ProgramStep, ...]:
    nodes = nodes_of(data.get("ivr_scheme"))
    numbers = data.get(NUMBERS) or {}
    places = {node.key: place for place, node in enumerate(nodes)}
    return tuple(_step(node, places, numbers) for node in nodes)


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[ProgramStep, ...]]] = {
    "voicemessage": _voicemessage, "voicetts": _voicetts, "ivr": _ivr, "agent": _transfer, "forward": _transfer}


# --- the nodes of an ivr

def _step(node: Node, places: Mapping[str, int], numbers: Mapping[str, Any]) -> ProgramStep:
    data, kind = node.data, node.kind
    given: dict[str, Any] = {}
    match kind:
        case "play":
            given = _prompt(data, is_needed=True)
            kind = "play" if "recording_id" in given else "say"
        case "say":
            given = {"text": _needed_text(data, "text")}
        case "menu":
            given = {**_prompt(data, is_needed=True), "valid": _keys(data), "timeout_s": _timeout_s(data),
                     "tries": data.whole("tries", low=1, high=10, default=3)}
        case "input":
            given = {**_prompt(data, is_needed=True), "timeout_s": _timeout_s(data),
                     "digits": data.whole("digits", low=1, high=MOST_DIGITS, default=1)}
        case "record":
            longest = data.whole("seconds", low=1, high=LONGEST_RECORD_S, default=LONGEST_RECORD_S)
            given = {**_prompt(data, is_needed=False), "seconds": float(longest)}
        case "wait":
            given = {"seconds": _wait_s(data)}
        case "transfer":
            given = {"to": _to(node, numbers)}
    links = tuple((label, places[key]) for label, key in node.links.items())
    return ProgramStep(kind, data.name(node.type), links=links, **given)


def _prompt(data: Fields, *, is_needed: bool) -> dict[str, Any]:
    """One of text and recording; `message` is ICTCore's word for a recording."""
    text, recording_id = data.text("text"), data.recording("recording_id", "message")
    if text and recording_id is not None:
        raise data.wrong("text", "either text or recording_id")
    if recording_id is not None:
        return {"recording_id": recording_id}
    if is_needed and not text:
        raise data.wrong("text", "is required, or recording_id")
    return {"text": text}


def _needed_text(data: Fields, name: str) -> str:
    text = data.text(name)
    if not text:
        raise data.wrong(name, "is required")
    return text


def _keys(data: Fields) -> str:
    valid = written(data.values.get("valid")) or ""
    if not valid or not set(valid) <= KEYS or len(set(valid)) < len(valid):
        raise data.wrong("valid", "must be the keys that may be pressed, of 0 to 9 and *, each once")
    return valid


def _timeout_s(data: Fields) -> int:
    return data.whole("timeout", "key_timeout", low=1, high=60, default=10)


def _wait_s(data: Fields) -> float:
    if data.values.get("seconds") not in (None, ""):
        return data.seconds("seconds", longest=LONGEST_WAIT_S)
    return data.seconds("ms", longest=LONGEST_WAIT_S, unit_s=0.001)


def _to(node: Node, numbers: Mapping[str, Any]) -> str:
    name, value = node.data.first("to", "hotline_id")
    to = phone_digits(numbers.get(node.key) or (value if name == "to" else None))
    if to is None:
        raise node.data.wrong(name, "is required: a number, or hotline_id" if value is None else "leads to no number")
    return to
