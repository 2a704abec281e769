"""Which voice the setting `voice` names, and whether it can speak here."""

import asyncio
import tempfile
from pathlib import Path

from engine.ports import SpeechFailed
from engine.speech.command import EspeakNg, Piper
from engine.speech.null import Null
from engine.speech.pico import Pico
from engine.speech.voice import Voice, VoiceUnavailable

CHECK_TIMEOUT_S = 45.0


def voice_of(setting: str, state_dir: Path) -> Voice:
    """`pico`, `espeak-ng`, `piper:<model path>`, `http:<url>`, `null`. Raises VoiceUnavailable for anything else."""
    kind, _, what = setting.partition(":")
    match kind:
        case "pico" if not what:
            return Pico(state_dir)
        case "espeak-ng" if not what:
            return EspeakNg()
        case "piper" if what:
            return Piper(Path(what).expanduser())
        case "http" | "https" if what:
            from engine.speech.remote import Http  # brings aiohttp's client: no other engine loads that to start

            return Http(setting if what.startswith("//") else what)
        case "null" if not what:
            return Null()
    raise VoiceUnavailable(
        f"the setting `voice` is {setting!r}: set it to pico, espeak-ng, piper:<model path>, http:<url> or null"
    )


def check_voice(setting: str) -> str | None:
    """None when the voice speaks, else what is missing and what mends it. For `ringward doctor`; takes its time."""
    return asyncio.run(probe_voice(setting))


async def probe_voice(setting: str) -> str | None:
    with tempfile.TemporaryDirectory(prefix="ringward-voice-") as folder:
        try:
            voice = voice_of(setting, Path(folder))
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    await voice.start()
                    await voice.speak(["1"], "de")
            finally:
                await voice.stop()
        except SpeechFailed as error:
            return str(error)
        except TimeoutError:
            return f"the voice {setting.partition(':')[0]} does not answer within {CHECK_TIMEOUT_S:g} s"
    return None
