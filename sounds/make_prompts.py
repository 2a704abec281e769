"""Speak sounds/prompts.toml with the voice pico: `python sounds/make_prompts.py`. The results are committed.

Each prompt gets a fresh process of the voice: Pico's noise source goes on from text to text, so that only the
first text of a process sounds the same every time.
"""

import asyncio
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from engine.sound.resampling import resample
from engine.sound.samples import to_wav
from engine.speech import audio
from engine.speech.lexicon import lexicon
from engine.speech.pico import Pico
from engine.speech.voice import clean

SOUNDS = Path(__file__).resolve().parent


async def speak(text: str, language: str, state_dir: Path) -> bytes:
    """The prompt as 8 kHz WAV."""
    voice = Pico(state_dir)
    await voice.start()
    try:
        sound = await voice.speak(lexicon(language, voice.name).apply(clean(text)), language)
    finally:
        await voice.stop()
    return to_wav(audio.shape(resample(sound, 8000)))


def prompts() -> dict[str, dict[str, str]]:
    """Language → prompt → text, with ten prompts in the place of a text with `{key}`."""
    texts: dict[str, dict[str, str]] = tomllib.loads((SOUNDS / "prompts.toml").read_text("utf-8"))
    keys = texts.pop("keys")
    return {language: dict(chain.from_iterable(
        _by_key(name, text, keys[language].split()) if "{key}" in text else [(name, text)]
        for name, text in said.items())) for language, said in texts.items()}


def _by_key(name: str, text: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"{name}-{digit}", text.replace("{key}", key)) for digit, key in enumerate(keys)]


async def main(into: Path) -> None:
    with tempfile.TemporaryDirectory() as state_dir:
        for language, texts in prompts().items():
            for name, text in texts.items():
                path = into / language / f"{name}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(await speak(text, language, Path(state_dir)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOUNDS))
