"""Packages are unpacked without installing anything; from a repository in a folder here, by the machine's own apt."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.debian_package import cache_folder, mirror_among, program, sid, unpacked
from engine.runtime.folders import RuntimeFailed

pytestmark = pytest.mark.skipif(not shutil.which("apt-get"), reason="not a Debian machine")


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A repository with `small`, which needs `library`."""
    folder = tmp_path / "repository"
    entries = []
    for name, needs in (("small", "library"), ("library", "")):
        root = folder / name
        (root / "usr/bin").mkdir(parents=True)
        (root / f"usr/bin/{name}").write_text("#!/bin/sh\n")
        (root / "DEBIAN").mkdir()
        control = f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
        control += f"Depends: {needs}\n" if needs else ""
        (root / "DEBIAN/control").write_text(control)
        deb = folder / f"{name}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, deb], check=True, capture_output=True)
        data = deb.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append(f"{control}Filename: ./{name}.deb\nSize: {len(data)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("\n".join(entries))
    return f"deb [trusted=yes] copy:{folder} ./"


def test_a_package_comes_with_all_it_needs(source: str, tmp_path: Path) -> None:
    said: list[str] = []
    root = unpacked("thing", ["small"], tmp_path / "cache", said.append, source)
    assert sorted(file.name for file in (root / "usr/bin").iterdir()) == ["library", "small"]
    assert any("unpacking" in text for text in said)
    assert sorted(entry.name for entry in (tmp_path / "cache").iterdir()) == ["lists", "lock", "thing"]
    said.clear()
    assert unpacked("thing", ["small"], tmp_path / "cache", said.append, "deb nonsense") == root
    assert said == []


def test_set_ups_at_once_take_turns(source: str, tmp_path: Path) -> None:
    script = ("import sys; from pathlib import Path; from engine.runtime.debian_package import unpacked\n"
              "print(unpacked('thing', ['small'], Path(sys.argv[1]), source=sys.argv[2]))")
    both = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "cache"), source], stdout=subprocess.PIPE,
                             text=True) for _ in range(2)]
    assert {process.communicate(timeout=50)[0] for process in both} == {f"{tmp_path / 'cache' / 'thing'}\n"}


def test_what_fails_leaves_nothing_behind(source: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match="apt-get failed"):
        unpacked("thing", ["unknown"], tmp_path / "cache", source=source)
    assert sorted(entry.name for entry in (tmp_path / "cache").iterdir()) == ["lists", "lock"]


def test_a_root_without_a_loader_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFailed, match=str(tmp_path)):
        program(tmp_path, "usr/bin/x")


def test_a_user_without_a_home_has_a_cache_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RINGWARD_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    assert os.access(cache_folder(), os.W_OK)
    monkeypatch.setenv("RINGWARD_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_packages_come_from_the_machines_own_mirror_of_debian_itself() -> None:
    addresses = ["http://mirror.example/debian-security/", "https://packages.example/apt", "http://mirror.example/debian/"]
    assert mirror_among(addresses) == "http://mirror.example/debian/"
    assert mirror_among(addresses[:2]) is None


def test_a_mirror_may_be_named_and_a_wrong_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_DEBIAN_MIRROR", "http://mirror.example:3142/debian")
    assert " http://mirror.example:3142/debian sid main" in sid()
    monkeypatch.setenv("RINGWARD_DEBIAN_MIRROR", "http://mirror.example/debian main\ndeb http://else.example/debian")
    with pytest.raises(RuntimeFailed, match="RINGWARD_DEBIAN_MIRROR"):
        sid()
