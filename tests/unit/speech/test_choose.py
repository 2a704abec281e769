from pathlib import Path

import pytest

from engine.speech.choose import check_voice, voice_of
from engine.speech.voice import VoiceUnavailable


@pytest.mark.parametrize(("setting", "name"), [
    ("pico", "pico"), ("espeak-ng", "espeak-ng"), ("piper:/models/de.onnx", "piper"),
    ("http:https://voice.example/say", "http"), ("https://voice.example/say", "http"), ("null", "null"),
])
def test_the_setting_names_the_voice(tmp_path: Path, setting: str, name: str) -> None:
    assert voice_of(setting, tmp_path).name == name


@pytest.mark.parametrize("setting", ["", "piper", "piper:", "http:", "pico:x", "festival"])
def test_other_settings_are_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(VoiceUnavailable, match="set it to pico"):
        voice_of(setting, tmp_path)


def test_a_voice_that_speaks_is_fine() -> None:
    assert check_voice("pico") is None
    assert check_voice("null") is None


@pytest.mark.parametrize(("setting", "mend"), [
    ("espeak-ng", "install the Debian package espeak-ng"),
    ("piper:/nowhere/model.onnx", "install piper-tts"),
    ("http:http://127.0.0.1:9/say", "start it or set `voice` to pico"),
    ("festival", "set it to pico"),
])
def test_a_missing_voice_is_named_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, mend: str,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mend in (check_voice(setting) or "")


def test_a_missing_model_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "piper").write_text("#!/bin/true\n")
    (tmp_path / "piper").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "/nowhere/model.onnx" in (check_voice("piper:/nowhere/model.onnx") or "")


def test_a_pico_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.speech.pico.util.find_spec", lambda name: None)
    assert "make setup" in (check_voice("pico") or "")
