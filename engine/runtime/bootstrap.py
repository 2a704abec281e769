"""Makes the virtual environment: `python3 engine/runtime/bootstrap.py`, the first step of `make setup`.

Runs on the machine's Python with the standard library only. Does nothing when `.venv` already is what pyproject.toml
asks for: a stamp in it names the file's hash. Two set-ups at once take turns.
"""

import fcntl
import hashlib
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
STAMP = VENV / "ringward-stamp"
OLDEST = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST:
        return _fail("Ringward needs Python 3.11 or newer", "python3.11")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return _fail("Python's venv module is missing", f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    wanted = _wanted()
    with open(PROJECT / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "ringward").exists():
            return 0
        started = time.monotonic()
        _step("making .venv", [sys.executable, "-m", "venv", str(VENV)])
        _step("installing", [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check",
                             "--no-input", "-e", f"{PROJECT}[dev]"])
        STAMP.write_text(wanted)
        print(f"setup: .venv is ready ({time.monotonic() - started:.0f} s)")
    return 0


def _wanted() -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    return f"{version} {hashlib.sha256((PROJECT / 'pyproject.toml').read_bytes()).hexdigest()} {VENV}\n"


def _step(what: str, argv: list[str]) -> None:
    """Run it and show its last line while it works; all of it when it fails."""
    print(f"setup: {what}", flush=True)
    lines: list[str] = []
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if sys.stdout.isatty():
                print(f"\r\033[K  {lines[-1][:100]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)
    if process.returncode != 0:
        print("\n".join(lines[-30:]), file=sys.stderr)
        sys.exit(f"setup: {what} failed")


def _fail(problem: str, package: str) -> int:
    print(f"setup: {problem}. Install the Debian package {package}:\n  sudo apt-get install {package}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
