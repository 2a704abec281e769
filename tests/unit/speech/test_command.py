"""Programs that stand in for espeak-ng and Piper: real processes that record how they were called."""

import os
import sys
from pathlib import Path

import pytest

from engine.ports import SpeechFailed
from engine.speech import command
from engine.speech.command import EspeakNg, Piper
from engine.speech.voice import Phonemes, VoiceUnavailable

PROGRAM = """#!{python}
import json, os, sys, wave
if "--version" in sys.argv:
    print("eSpeak NG text-to-speech: 1.51  Data at: /usr/lib"); sys.exit()
text = sys.stdin.read()
json.dump([sys.argv[1:], text, sorted(os.environ)], open({seen!r}, "w"))
if "fail" in text:
    sys.exit("no such voice")
if "hang" in text:
    import time; time.sleep(60)
with wave.open(sys.stdout.buffer, "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(22050)
    out.writeframes(b"\\0\\x40" * 22050)
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    seen = tmp_path / "seen.json"
    for name in ("espeak-ng", "piper"):
        (tmp_path / name).write_text(PROGRAM.format(python=sys.executable, seen=str(seen)))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("RINGWARD_AMI_SECRET", "secret")
    return seen


def recorded(seen: Path) -> str:
    return seen.read_text()


async def test_espeak_ng_gets_the_text_by_stdin(seen: Path) -> None:
    voice = EspeakNg()
    await voice.start()
    sound = await voice.speak(["; rm -rf / ", Phonemes("hOt", "Hotline")], "de")
    assert (sound.rate, len(sound.samples)) == (22050, 22050)
    assert voice.version == "eSpeak NG text-to-speech: 1.51"
    assert '"-v", "de"' in recorded(seen) and '"; rm -rf / Hotline"' in recorded(seen)
    assert "RINGWARD" not in recorded(seen)


async def test_piper_speaks_with_the_users_model(seen: Path, tmp_path: Path) -> None:
    model = tmp_path / "de.onnx"
    model.write_bytes(b"model")
    voice = Piper(model)
    await voice.start()
    assert len((await voice.speak(["Hallo"], "de")).samples) == 22050
    assert f'"--model", "{model}"' in recorded(seen)
    before = voice.version
    model.write_bytes(b"another model")
    await voice.start()
    assert voice.version != before


async def test_a_failing_program_is_an_error_with_its_last_line(seen: Path) -> None:
    voice = EspeakNg()
    await voice.start()
    with pytest.raises(SpeechFailed, match="no such voice"):
        await voice.speak(["fail"], "de")


async def test_a_hanging_program_is_killed(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = EspeakNg()
    await voice.start()
    monkeypatch.setattr(command, "TIMEOUT_S", 0.5)
    with pytest.raises(SpeechFailed, match="did not end"):
        await voice.speak(["hang"], "de")


async def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceUnavailable, match="espeak-ng"):
        await EspeakNg().start()
