"""What an alarm has spoken: messages before the dials, and last words for those who acknowledged. Pure.

Used by `alarm*.py`. Keys: `m:<language>` a message that many hear, `r` a recording, `p:<recipient id>` a person's own
message, `c:<language>:<acknowledged>` last words.
"""

from collections.abc import Iterator
from dataclasses import replace

from engine.flows.alarm_state import (
    Attempt,
    Closing,
    Recipient,
    Sound,
    State,
    acknowledged,
    and_then,
    live_legs,
    message_of,
    with_attempt,
    with_recipient,
)
from engine.flows.flow import Step
from engine.vocabulary.commands import AskAlarm, Command, Play, Render, WriteAlarm, WriteNote
from engine.vocabulary.events import Rendered
from engine.vocabulary.values import AlarmAsk, AlarmPlan, AlarmState, Person

PERSONAL = ("{name}", "{role}")


# --- messages ----------------------------------------------------------------------------------------------------


def speech_of(plan: AlarmPlan, person: Person) -> str:
    """The key of what this person hears."""
    if plan.recording_id is not None:
        return "r"
    text = _text(plan, person.language)
    return f"p:{person.recipient_id}" if any(mark in text for mark in PERSONAL) else f"m:{person.language}"


def messages(state: State) -> tuple[Render, ...]:
    """Orders for what is not rendered yet of those who may be rung: what many hear first."""
    ready = {sound.key for sound in state.sounds}
    orders: dict[str, Render] = {}
    for one in state.recipients:
        if one.person.phones and one.sound is None and one.speech not in ready and one.speech not in orders:
            orders[one.speech] = _order(state.plan, one)
    return tuple(sorted(orders.values(), key=lambda order: order.is_personal))


def _order(plan: AlarmPlan, one: Recipient) -> Render:
    person = one.person
    if plan.recording_id is not None:
        return Render(one.speech, person.language, recording_id=plan.recording_id)
    text = _text(plan, person.language)
    if not one.speech.startswith("p:"):
        return Render(one.speech, person.language, text)
    text = text.replace("{role}", person.role).replace("{name}", person.name)
    return Render(one.speech, person.language, text, is_personal=True)


def _text(plan: AlarmPlan, language: str) -> str:
    texts = dict(plan.message)
    return texts.get(language) or next(iter(texts.values()), "")


def ask_of(plan: AlarmPlan, one: Recipient, message: str, pin_tries: int) -> AlarmAsk:
    return AlarmAsk(
        message=message, voice=one.person.voice, key=plan.key, decline_key=plan.decline_key, pin=plan.pin,
        pin_tries=pin_tries, amd=plan.amd,
    )


def rendered(state: State, event: Rendered) -> Step[State]:
    if event.key.startswith("c:"):
        return _closing_rendered(state, event)
    after = _with_sound(state, event.key, event.sound)
    if after is state:
        return Step(state)
    told: list[Command] = []
    if not event.sound:
        whose = int(event.key[2:]) if event.key.startswith("p:") else None
        told.append(WriteNote(event.at, "speechFailed", whose, message=event.key))
    if after.phase == "rendering":
        after = replace(after, phase="ringing")
        told += [WriteAlarm(event.at, AlarmState.RINGING), WriteNote(event.at, "ringing")]
    step = Step(after, tuple(told))
    for place, attempt in live_legs(after):
        if attempt.stage == "held" and not attempt.told and after.recipients[place].speech == event.key:
            step = and_then(step, _ask_held(step.state, place, attempt))
    return step


def _with_sound(state: State, key: str, name: str) -> State:
    place = next((place for place, one in enumerate(state.recipients) if one.speech == key), None)
    if place is None:
        return state
    if not key.startswith("p:"):
        known = any(sound.key == key for sound in state.sounds)
        return state if known else replace(state, sounds=(*state.sounds, Sound(key, name)))
    one = state.recipients[place]
    return state if one.sound is not None else with_recipient(state, place, replace(one, sound=name))


def _ask_held(state: State, place: int, attempt: Attempt) -> Step[State]:
    one = state.recipients[place]
    message = message_of(state, one)
    assert message is not None  # noqa: S101
    asked = with_attempt(one, replace(attempt, stage="listening"))
    ask = ask_of(state.plan, one, message, attempt.pin_tries)
    return Step(with_recipient(state, place, asked), (AskAlarm(attempt.leg, ask),))


# --- last words --------------------------------------------------------------------------------------------------


def closings(state: State) -> Step[State]:
    """Somebody acknowledged: the last words of all who have not heard theirs say another number now."""
    texts = dict(state.plan.closing)
    waiting = {state.recipients[place].person.language for place, attempt in live_legs(state) if _waits(attempt)}
    wanted = sorted(waiting & texts.keys())
    if not wanted:
        return Step(state)
    count = sum(acknowledged(state).values())
    fresh = tuple(Closing(language, count) for language in wanted)
    others = tuple(known for known in state.closings if known.language not in wanted)
    return Step(replace(state, closings=(*others, *fresh)), tuple(_spoken(state.plan, one) for one in fresh))


def unspoken(state: State) -> Iterator[Render]:
    """Last words that somebody waits for and nobody rendered."""
    waiting = {state.recipients[place].person.language for place, attempt in live_legs(state) if _waits(attempt)}
    return (_spoken(state.plan, one) for one in state.closings if one.name is None and one.language in waiting)


def _spoken(plan: AlarmPlan, closing: Closing) -> Render:
    text = dict(plan.closing)[closing.language]
    text = text.replace("{acknowledged}", str(closing.count)).replace("{needed}", str(plan.needed))
    return Render(closing.key, closing.language, text)


def _waits(attempt: Attempt) -> bool:
    return attempt.stage in ("confirmed", "thanked") and not attempt.told


def _closing_rendered(state: State, event: Rendered) -> Step[State]:
    """Whoever was thanked already and waits hears them now, also when the number has changed since."""
    known = next((one for one in state.closings if one.key == event.key), None)
    if known is not None and known.name is None:
        others = tuple(one for one in state.closings if one is not known)
        state = replace(state, closings=(*others, replace(known, name=event.sound)))
    language = event.key.split(":")[1]
    step = Step(state)
    for place, attempt in live_legs(state):
        if attempt.stage == "thanked" and not attempt.told and state.recipients[place].person.language == language:
            step = and_then(step, _say(step.state, place, attempt, event.sound))
    return step


def thanked(state: State, place: int, attempt: Attempt) -> Step[State]:
    """Somebody has heard that his acknowledgement is saved."""
    if not _waits(attempt):
        return Step(state)
    one = state.recipients[place]
    closing = next((known for known in state.closings if known.language == one.person.language), None)
    if closing is None:
        return _say(state, place, attempt, "")
    if closing.name is None and attempt.stage == "thanked":
        return Step(state)
    if closing.name is None:
        return Step(with_recipient(state, place, with_attempt(one, replace(attempt, stage="thanked"))))
    return _say(state, place, attempt, closing.name)


def _say(state: State, place: int, attempt: Attempt, sound: str) -> Step[State]:
    one = state.recipients[place]
    sound = sound or f"{one.person.voice}/alarm-bye"
    told = with_attempt(one, replace(attempt, stage="thanked", told=sound))
    return Step(with_recipient(state, place, told), (Play(attempt.leg, sound, then="bye"),))
