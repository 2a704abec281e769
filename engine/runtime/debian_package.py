"""Programs from Debian sid, unpacked below a cache folder without installing anything, as any user.

apt-get resolves and downloads against its own lists and an *empty* status file, so that every library comes along
and the machine's own packages do not matter; each .deb is unpacked by dpkg; the program is started by the loader
that came with it. A folder appears in the cache complete or not at all: temporary name, then rename. Concurrent
set-ups wait for each other.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.folders import PROJECT, RuntimeFailed

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR = re.compile(r"https?://[A-Za-z0-9.:/_~-]+/debian/?")
USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/icons")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """An executable: what to write before its arguments, and the root of its own file tree (None: the machine's)."""

    argv: tuple[str, ...]
    root: Path | None = None


def cache_folder() -> Path:
    """RINGWARD_CACHE, else ~/.cache/ringward, else .cache of the project (a user without a home of its own)."""
    if chosen := os.environ.get("RINGWARD_CACHE"):
        return Path(chosen).absolute()
    for folder in (Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringward", PROJECT / ".cache"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder.absolute()
    raise RuntimeFailed("no cache folder can be written; name one: export RINGWARD_CACHE=<folder>")


def unpacked(
    name: str, packages: Sequence[str], cache: Path, report: Report = lambda _: None, source: str = "",
) -> Path:
    """The root of `packages` and all they need, below `cache`; downloads them first if they are not there."""
    root = cache / name
    if root.is_dir():
        return root
    _check_tools()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)    # another set-up may be at it
        if not root.is_dir():
            work = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=cache))
            try:
                _download(work, packages, cache / "lists", name, report, source or sid())
                (work / "root").chmod(0o755)
                (work / "root").rename(root)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return root


def sid() -> str:
    """Debian sid on RINGWARD_DEBIAN_MIRROR, else on the mirror that this machine's apt uses."""
    chosen = os.environ.get("RINGWARD_DEBIAN_MIRROR")
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirror = mirror_among([chosen] if chosen else _run(asked).splitlines())
    if mirror is None:
        raise RuntimeFailed("apt knows no mirror of Debian here; name one: export RINGWARD_DEBIAN_MIRROR=http://<host>/debian")
    return f"deb [signed-by={KEYRING}] {mirror} sid main"


def mirror_among(addresses: Sequence[str]) -> str | None:
    """The first that is a mirror of Debian itself, not of its security updates or of somebody else's packages."""
    return next((address for address in addresses if MIRROR.fullmatch(address)), None)


def program(root: Path, path: str) -> Program:
    """An executable of an unpacked root, started by the loader that came with it."""
    loaders = sorted(root.glob("usr/lib/*/ld-linux*.so.*"))
    if not loaders:
        raise RuntimeFailed(f"no loader in {root}: delete that folder and run again")
    libraries = loaders[0].parent
    return Program((str(loaders[0]), "--library-path", str(libraries), str(root / path)), root)


def _check_tools() -> None:
    for tool, package in (("apt-get", "apt"), ("dpkg", "dpkg"), (str(KEYRING), "debian-archive-keyring")):
        if not shutil.which(tool) and not Path(tool).exists():
            raise RuntimeFailed(f"{tool} is missing: install the Debian package {package}")


def _download(work: Path, packages: Sequence[str], lists: Path, name: str, report: Report, source: str) -> None:
    for folder in (lists / "partial", work / "archives" / "partial", work / "root"):
        folder.mkdir(parents=True, exist_ok=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"{source}\n")
    (work / "apt.conf").write_text(_apt_configuration(work, lists))
    apt = ["apt-get", "-c", str(work / "apt.conf"), "-q", "-y"]
    report(f"{name}: reading Debian's package lists")
    _run([*apt, "update"])
    report(f"{name}: downloading {' and '.join(packages)} with all they need from Debian sid, some 10 to 80 MB")
    _run([*apt, "--download-only", "--no-install-recommends", "install", *packages])
    debs = sorted((work / "archives").glob("*.deb"))
    for number, deb in enumerate(debs, 1):
        if number % 40 == 1:
            report(f"{name}: unpacking {len(debs)} packages, {number * 100 // len(debs)} %")
        _run(["dpkg", "-x", str(deb), str(work / "root")])
    for useless in USELESS:
        shutil.rmtree(work / "root" / useless, ignore_errors=True)


def _apt_configuration(work: Path, lists: Path) -> str:
    """Our own state; the machine's proxy settings stay, its hooks do not."""
    return f"""
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear APT::Default-Release;
Dir::State "{work}";
Dir::State::lists "{lists}";
Dir::State::status "{work}/status";
Dir::Cache "{work}";
Dir::Cache::archives "{work}/archives";
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
"""


def _run(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603 -- ours, no shell
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RuntimeFailed(f"{' '.join(argv[:1])} failed: {' / '.join(lines[-3:])}")
    return done.stdout
