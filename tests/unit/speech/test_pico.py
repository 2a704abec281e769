import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from engine.ports import SpeechFailed
from engine.speech import audio
from engine.speech.pico import WORKER, Pico, markup
from engine.speech.voice import LANGUAGES, Phonemes, clean


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that the worker's user may reach and write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


@pytest.fixture
async def pico(tmp_path: Path) -> AsyncIterator[Pico]:
    voice = Pico(tmp_path / "voice")
    await voice.start()
    yield voice
    await voice.stop()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_speaks_every_language(pico: Pico, language: str) -> None:
    sound = await pico.speak(["Telefon Radio Hotel."], language)
    assert 0.8 < len(audio.shape(sound).samples) / sound.rate < 4


async def test_an_unknown_language_is_an_error(pico: Pico) -> None:
    with pytest.raises(SpeechFailed, match="does not speak"):
        await pico.speak(["Hej"], "sv")


async def test_markup_in_a_text_writes_no_file(pico: Pico, anybodys: Path) -> None:
    target = anybodys / "written.wav"
    text = f'<genfile file="{target}">Hallo</genfile>'
    await pico.speak([clean(text)], "de")
    await pico.speak([text], "de")      # the adapter does not trust its caller either
    await pico.speak(["&lt;genfile file=&quot;" + str(target) + "&quot;&gt;Hallo&lt;/genfile&gt;"], "de")
    assert not target.exists()


async def test_even_markup_that_reaches_pico_writes_nothing(pico: Pico, anybodys: Path) -> None:
    target = anybodys / "written.wav"
    tag = Phonemes(f'x"/><genfile file="{target}">Hallo</genfile><phoneme ph="x', "")
    try:
        await pico.speak([tag], "de")
    except SpeechFailed:
        pass
    assert not target.exists() or target.stat().st_size == 0      # RLIMIT_FSIZE; as root not even the file


def test_the_hole_that_is_closed_here_is_real(tmp_path: Path) -> None:
    target = tmp_path / "written.wav"
    code = f"import py_nanotts; py_nanotts.NanoTTS().speak('<genfile file=\"{target}\">Hallo</genfile>', voice='de-DE')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert target.stat().st_size > 0


def test_only_the_lexicon_makes_tags() -> None:
    assert markup(["<speed level='5'>a", Phonemes('"hOt', "Hotline")]) == (
        " speed level='5' a<phoneme alphabet=\"xsampa\" ph=\"\\\"hOt\"/>")


async def test_the_worker_has_no_privileges_and_no_secrets(pico: Pico) -> None:
    assert pico.pid is not None
    worker = psutil.Process(pico.pid)
    assert worker.uids().effective != 0 and worker.uids().saved != 0
    assert worker.nice() >= 10
    status = proc(pico.pid, "status")
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    limits = proc(pico.pid, "limits")
    assert limits.split("Max file size")[1].split()[:2] == ["0", "0"]
    if os.geteuid() == 0:       # else it is the user's own process
        assert proc(pico.pid, "environ") == "LC_ALL=C.UTF-8\0"
        assert os.readlink(f"/proc/{pico.pid}/root").endswith(("/lang", f"pico-{pico.version}"))


async def test_a_worker_that_died_is_replaced(pico: Pico) -> None:
    before = pico.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert len((await pico.speak(["Hallo"], "de")).samples)
    assert pico.pid not in (None, before)


async def test_a_text_that_kills_the_worker_fails_and_the_next_one_is_spoken(
    pico: Pico, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    dying = tmp_path / "dying.py"       # a program that is ready and then dies of every text
    dying.write_text("import sys\nprint('{\"ready\": {\"uid\": 1}}', flush=True)\nsys.stdin.readline()\n")
    monkeypatch.setattr("engine.speech.pico.WORKER", dying)
    await pico.stop()
    with pytest.raises(SpeechFailed, match="died of this text"):
        await pico.speak(["Hallo"], "de")
    monkeypatch.setattr("engine.speech.pico.WORKER", WORKER)
    assert len((await pico.speak(["Hallo"], "de")).samples)


async def test_a_text_without_end_is_cut_off(tmp_path: Path) -> None:
    voice = Pico(tmp_path, speak_timeout_s=0.5)
    await voice.start()
    try:
        with pytest.raises(SpeechFailed, match="did not end"):
            await voice.speak(["a" * 3000], "de")       # uncleaned: Pico never ends on it
        assert len((await voice.speak(["Hallo"], "de")).samples)
    finally:
        await voice.stop()


def test_the_worker_dies_with_its_parent(tmp_path: Path) -> None:
    code = ("import asyncio, os, signal, sys; from pathlib import Path; from engine.speech.pico import Pico\n"
            "async def main():\n"
            "    voice = Pico(Path(sys.argv[1])); await voice.start(); print(voice.pid, flush=True)\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "asyncio.run(main())\n")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=30)
    worker = int(done.stdout)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(worker) and psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs files that nobody may read")
async def test_voice_files_that_only_root_may_read_are_copied(tmp_path: Path) -> None:
    voice = Pico(tmp_path / "state")
    voice.version = "1"
    lingware = tmp_path / "lang"
    lingware.mkdir()
    (lingware / "a.bin").write_bytes(b"x")
    (lingware / "a.bin").chmod(0o600)
    copy = voice._readable(lingware)
    assert copy == tmp_path / "state" / "pico-1"
    assert (copy / "a.bin").stat().st_mode & 0o777 == 0o444
    (lingware / "a.bin").chmod(0o644)
    assert voice._readable(lingware) == lingware
