"""Who hears whom, and when a sound began."""

import time

from engine.softphone import PlacedCall, TakenCall
from engine.softphone.audio import chirp, read_wav
from engine.softphone.g711 import Samples
from engine.softphone.listening import correlation, find
from tests.acceptance.town import Town

CALLERS, AGENTS, ANOTHERS = chirp(1, 0.5), chirp(2, 0.5), chirp(3, 0.5)


async def they_talk(
    caller: PlacedCall, agent: TakenCall, callers: Samples = CALLERS, agents: Samples = AGENTS
) -> None:
    """Each plays a sound of its own, and hears the other's and not its own."""
    caller.play(callers, loop=True)
    agent.play(agents, loop=True)
    since = time.monotonic()
    await caller.heard(caller.recording.sound_s + 1.2)
    await agent.heard(agent.recording.sound_s + 0.6)
    heard, said = caller.recording.pcm(from_at=since), agent.recording.pcm(from_at=since)
    assert correlation(agents, heard) >= 0.8
    assert correlation(callers, heard) <= 0.3
    assert correlation(callers, said) >= 0.8
    assert correlation(agents, said) <= 0.3


def sound(town: Town, name: str) -> Samples:
    """A prompt as Asterisk has it: `de/taken`, or what the voice has rendered."""
    return read_wav(town.asterisk.sounds / f"{name}.wav")


async def question(town: Town) -> Samples:
    return sound(town, await town.database.fetchval("SELECT ask_sound FROM hotlines ORDER BY id"))


def began_at(call: PlacedCall | TakenCall, prompt: Samples, length_s: float = 1.0) -> float | None:
    """When the first word of a prompt came, monotonic seconds; None if it was not heard."""
    stretch = call.recording.stretch()
    match = find(prompt[: round(length_s * 8000)], stretch.samples)
    return stretch.arrived_at(match.offset_s) if match.value >= 0.6 else None
