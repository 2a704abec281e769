"""What is missing or wrong on this machine or in this system, and the command that mends it. Changes nothing."""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from engine.policy.trunks import MAIN
from engine.runtime.ami_probe import probe
from engine.runtime.asterisk_package import OLDEST, installed_asterisk, version_of
from engine.runtime.debian_package import Program, cache_folder
from engine.runtime.folders import PROJECT, RuntimeFailed
from engine.runtime.ports import Address
from engine.runtime.postgres import embedded_binaries, machine_binaries, server_problem
from engine.runtime.run_files import is_running
from engine.settings import Settings
from engine.speech.choose import probe_voice
from engine.speech.voice import LANGUAGES
from engine.store.migrate import pending_migrations

PROMPTS = ("welcome", "ask", "taken", "apology", "gone")


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    problem: str
    mend: str


async def examine(settings: Settings) -> list[Finding]:
    """Everything that is wrong; empty when all is well."""
    running = is_running(settings.home)
    up = f"ringward up --home {str(settings.home)!r}"
    findings = [*_programs(settings), *_sounds(settings), *await _voice(settings)]
    findings += _trunk(settings, up)
    findings += _switch(settings, up) if running or settings.ami_secret else []
    findings += _ports(settings, up) if not running else []
    findings += await _database(settings, up) if running or settings.database_url else []
    return findings


def _programs(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url and not machine_binaries() and not embedded_binaries():
        yield Finding("postgres", "there are no server programs", "rm -r .venv && make setup")
    if settings.switch != "asterisk" or installed_asterisk() or (cache_folder() / "asterisk").is_dir():
        return
    oldest = ".".join(map(str, OLDEST))
    if path := shutil.which("asterisk"):
        version = ".".join(map(str, version_of(Program((path,))))) or "of unknown version"
        yield Finding("asterisk", f"{path} is {version}, older than {oldest}", "make setup")
    else:
        yield Finding("asterisk", f"there is none, and {oldest} or newer is needed", "make setup")


def _sounds(settings: Settings) -> Iterator[Finding]:
    recorded = settings.sounds_dir or PROJECT / "sounds"
    missing = [f"{language}/{prompt}" for language in LANGUAGES for prompt in PROMPTS
               if not list((recorded / language).glob(f"{prompt}.*"))]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Finding("sounds", f"recorded prompts are missing in {recorded}: {', '.join(missing[:3])}{more}",
                      f"git checkout -- {recorded}")


async def _voice(settings: Settings) -> list[Finding]:
    problem = await probe_voice(settings.voice)
    mend = "rm -r .venv && make setup" if settings.voice == "pico" else "export RINGWARD_VOICE=pico"
    return [Finding("voice", problem, mend)] if problem else []


def _switch(settings: Settings, up: str) -> Iterator[Finding]:
    if settings.switch == "asterisk" and (problem := probe(settings)):
        yield Finding("ami", problem, "unset RINGWARD_AMI_SECRET RINGWARD_AMI_PORT RINGWARD_AMI_HOST"
                      if "secret" in problem else up)


def _trunk(settings: Settings, up: str) -> Iterator[Finding]:
    for name, address in settings.trunk_addresses().items():
        try:
            problem = "" if Address.parse(address).is_known() else f"{address} has no address: is the name right?"
        except RuntimeFailed as error:
            problem = str(error)
        if problem:
            is_main = name == MAIN
            yield Finding("trunk" if is_main else f"trunk {name}", problem,
                          f"{up} --trunk HOST:PORT" if is_main else "export RINGWARD_TRUNKS='[…]'")


def _ports(settings: Settings, up: str) -> Iterator[Finding]:
    for option, text, kind in (("api", settings.api, socket.SOCK_STREAM), ("sip", settings.sip, socket.SOCK_DGRAM)):
        try:
            address = Address.parse(text)
            problem = address.problem(kind)
        except RuntimeFailed as error:
            yield Finding(option, str(error), f"{up} --{option} 127.0.0.1:0")
        else:
            if problem:
                yield Finding(option, problem, f"{up} --{option} {address.host}:0")


async def _database(settings: Settings, up: str) -> list[Finding]:
    if problem := await server_problem(settings.database_url):
        is_ours = is_running(settings.home) and not os.environ.get("DATABASE_URL")
        mend = up if is_ours else "unset DATABASE_URL, or set it to a server that answers"
        return [Finding("database", f"cannot be reached ({problem})", mend)]
    pending = await pending_migrations(settings.database_url)
    return [Finding("database", f"{pending} migrations are not applied", "ringward migrate")] if pending else []
