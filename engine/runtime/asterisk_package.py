"""Finds an Asterisk that is new enough, or fetches Debian sid's; the tools of the tests come the same way."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.debian_package import Program, Report, cache_folder, program, unpacked
from engine.runtime.folders import RuntimeFailed

OLDEST = (22, 10, 1)  # 19 security fixes landed there


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    program: Program
    version: tuple[int, ...]
    modules: Path
    data: Path      # share/asterisk: modules refuse their configuration without the documentation there


def find_asterisk(cache: Path | None = None, report: Report = lambda _: None) -> AsteriskProgram:
    """The one on PATH if new enough, else Debian sid's from the cache, which is filled first if it must be."""
    return installed_asterisk() or _checked(packaged_asterisk(cache or cache_folder(), report))


def installed_asterisk() -> AsteriskProgram | None:
    """The Asterisk on PATH, unless it is older than OLDEST or its modules cannot be found."""
    path = shutil.which("asterisk")
    if path is None:
        return None
    found = Program((path,))
    modules = _first(path, "lib/*/asterisk/modules", "lib/asterisk/modules", "lib64/asterisk/modules")
    data = _first(path, "share/asterisk/documentation", "../var/lib/asterisk/documentation")
    version = version_of(found)
    return AsteriskProgram(found, version, modules, data.parent) if modules and data and version >= OLDEST else None


def _first(program_path: str, *patterns: str) -> Path | None:
    """The first folder like one of these beside the program or in /usr."""
    bases = (Path(program_path).parent.parent, Path("/usr"))
    return next((folder for base in bases for pattern in patterns for folder in base.glob(pattern)), None)


def packaged_asterisk(cache: Path, report: Report = lambda _: None) -> AsteriskProgram:
    root = unpacked("asterisk", ["asterisk"], cache, report)
    found = program(root, "usr/sbin/asterisk")
    modules = next(iter(root.glob("usr/lib/*/asterisk/modules")), None)
    if modules is None:
        raise RuntimeFailed(f"no modules in {root}: delete that folder and run again")
    return AsteriskProgram(found, version_of(found), modules, root / "usr/share/asterisk")


def tools_of_tests(cache: Path | None = None, report: Report = lambda _: None) -> tuple[Program, Program]:
    """(sipp, espeak-ng), which only tests and benchmarks use."""
    root = unpacked("test-tools", ["sip-tester", "espeak-ng"], cache or cache_folder(), report)
    return program(root, "usr/bin/sipp"), program(root, "usr/bin/espeak-ng")


def version_of(found: Program) -> tuple[int, ...]:
    """`asterisk -V` as numbers; () when it does not answer as one."""
    try:
        done = subprocess.run([*found.argv, "-V"], capture_output=True, text=True, timeout=20)  # noqa: S603 -- no shell
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _checked(found: AsteriskProgram) -> AsteriskProgram:
    if found.version < OLDEST:
        raise RuntimeFailed(f"Asterisk {'.'.join(map(str, found.version))} is older than "
                            f"{'.'.join(map(str, OLDEST))}: delete {found.program.root} and run `make setup`")
    return found
