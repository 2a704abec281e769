"""Asterisk as a child: its configuration rendered from config/asterisk/, its start, and when it is ready.

Used by the supervisor, by `doctor` and by the tests' `asterisk` fixture. Every value that goes into a template is
checked against a pattern first: a line break or a semicolon in a configuration file is a setting of its own.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.ami_probe import probe
from engine.runtime.asterisk_package import AsteriskProgram
from engine.runtime.child import launch
from engine.runtime.folders import PROJECT, Home, RuntimeFailed
from engine.runtime.ports import HOST, Address
from engine.settings import Settings
from engine.switch.asterisk.endpoints import endpoint

TEMPLATES = PROJECT / "config" / "asterisk"
DIALPLANS = PROJECT / "dialplans" / "asterisk"
SOUNDS = PROJECT / "sounds"
READY_TIMEOUT_S = 30
LOOPBACK = "127.0.0.1"  # where ARI listens, always

NUMBER = re.compile(r"[0-9]{1,5}")
SAFE_PATH = re.compile(r"/[A-Za-z0-9/_.-]+")
WORD = re.compile(r"[A-Za-z0-9_-]{1,128}")
ADDRESS = re.compile(rf"{HOST.pattern}:[0-9]{{1,5}}")
PATTERNS = {
    "private": SAFE_PATH, "sip": ADDRESS, "trunk": ADDRESS, "trunk_host": HOST, "ami_host": HOST, "ami_port": NUMBER,
    "ami_user": WORD, "ami_secret": WORD, "ari_port": NUMBER, "ari_user": WORD, "ari_secret": WORD,
    "endpoint": re.compile(r"[a-z0-9-]{1,20}\.[0-9a-f]{8}"),
    "claim_s": re.compile(r"[0-9]{1,3}(\.[0-9]+)?"), "lease_s": NUMBER,
    "ring_timeout_s": NUMBER, "rounds": NUMBER, "round_min_s": NUMBER, "ask_tries": NUMBER, "rtp_timeout_s": NUMBER,
    "trunks": re.compile(
        r"(\[[a-z0-9-]{1,20}\.[0-9a-f]{8}\]\((?:endpoint|identify)_of_trunks\)\n(\w+ = [A-Za-z0-9.-]+\n)*)*"),
    "includes": re.compile(r'(#include "/[A-Za-z0-9/_.-]+"\n?)*'),
}


def with_free_ports(settings: Settings) -> Settings:
    """Ports that were 0 become free ones, and secrets are made up where there are none."""
    return settings.model_copy(update={
        "sip": str(Address.parse(settings.sip).chosen(socket.SOCK_DGRAM)),
        "ami_port": Address(settings.ami_host, settings.ami_port).chosen(socket.SOCK_STREAM).port,
        "ami_secret": settings.ami_secret or secrets.token_urlsafe(24),
        "ari_port": Address(LOOPBACK, settings.ari_port).chosen(socket.SOCK_STREAM).port,
        "ari_secret": settings.ari_secret or secrets.token_urlsafe(24),
    })


def prepare(home: Home, settings: Settings, asterisk: AsteriskProgram) -> list[str]:
    """Folders, links and configuration files of this home; returns the command line that starts its Asterisk."""
    for folder in ("lib", "spool"):
        (home.path / "asterisk" / folder).mkdir(parents=True, exist_ok=True)
    (home.path / "asterisk" / "lib").chmod(0o700)  # its own database holds the passwords of providers
    socket_folder = home.private / "socket"
    socket_folder.mkdir(mode=0o700, exist_ok=True)
    link_sounds(home)
    home.link("modules", asterisk.modules)
    home.link("share", asterisk.data)
    home.link("dialplans", DIALPLANS)
    home.link("sounds", settings.sounds_dir.absolute() if settings.sounds_dir else home.sounds)
    home.link("acks", own_folder(settings.acks))
    home.link("recordings", own_folder(settings.recordings))
    etc = home.private / "asterisk"
    etc.mkdir(mode=0o700, exist_ok=True)  # not below home: Asterisk cannot read a path of any length and any character
    values = values_of(home, settings)
    for template in sorted(TEMPLATES.glob("*.conf")):
        _write(etc / template.name, render(template.read_text(), values))
    return [*_argv(home, asterisk), "-C", str(etc / "asterisk.conf"), "-f"]


def render(template: str, values: dict[str, str]) -> str:
    """Fill in `{{name}}`; raises RuntimeFailed for a value that is not what its pattern says."""
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if not PATTERNS[name].fullmatch(values[name]):
            raise RuntimeFailed(f"the setting {name} has a value that cannot go into Asterisk's configuration")
        return values[name]

    return re.sub(r"\{\{(\w+)\}\}", value, template)


def own_folder(folder: Path) -> Path:
    """Where the dialplan leaves what it noted or recorded. Ours alone; it outlives every process."""
    folder = folder.absolute()  # the home may be given as it was written
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def link_sounds(home: Home) -> None:
    """`<home>/sounds`: the recorded prompts by language and the music as links, `cache` for rendered speech."""
    (home.sounds / "cache").mkdir(parents=True, exist_ok=True)
    for folder in sorted(SOUNDS.iterdir()) if SOUNDS.is_dir() else []:
        link = home.sounds / folder.name
        if folder.is_dir() and folder.name != "cache" and not (link.is_symlink() and link.exists()):
            link.unlink(missing_ok=True)
            link.symlink_to(folder)


@dataclass(slots=True)
class Asterisk:
    """A running Asterisk and how to reach it."""

    home: Home
    settings: Settings
    argv: list[str]
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, home: Home, settings: Settings, asterisk: AsteriskProgram) -> "Asterisk":
        """Start one and wait until it takes calls. Blocks; raises RuntimeFailed."""
        settings = with_free_ports(settings)
        managers = (Address(settings.ami_host, settings.ami_port), Address(LOOPBACK, settings.ari_port))
        problems = (Address.parse(settings.sip).problem(socket.SOCK_DGRAM),
                    *(manager.problem(socket.SOCK_STREAM) for manager in managers))
        for problem in filter(None, problems):
            raise RuntimeFailed(problem)
        argv = prepare(home, settings, asterisk)
        server = cls(home, settings, argv, launch_asterisk(home, argv))
        server.wait_ready()
        return server

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def sip(self) -> str:
        return self.settings.sip

    @property
    def trunk(self) -> str:
        return self.settings.trunk

    @property
    def ami_port(self) -> int:
        return self.settings.ami_port

    @property
    def ami_secret(self) -> str:
        return self.settings.ami_secret

    @property
    def sounds(self) -> Path:
        return self.home.sounds

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while (problem := probe(self.settings)) is not None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeFailed(f"Asterisk did not start ({problem}); see {self.home.log / 'asterisk.log'}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: nothing is said to anybody."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start again after `kill`, at the same addresses with the same files."""
        self.process = launch_asterisk(self.home, self.argv)
        self.wait_ready()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()


def launch_asterisk(home: Home, argv: list[str]) -> subprocess.Popen[bytes]:
    return launch(argv, log=home.log / "asterisk.log", cwd=Path("/"))


def _argv(home: Home, asterisk: AsteriskProgram) -> list[str]:
    """With the packaged one, by a link: the loader's library path is split at every colon."""
    root = asterisk.program.root
    if root is None:
        return list(asterisk.program.argv)
    link = home.link("root", root)
    return [part.replace(str(root), str(link), 1) for part in asterisk.program.argv]


def values_of(home: Home, settings: Settings) -> dict[str, str]:
    includes = (f'#include "{home.private}/dialplans/{file.name}"' for file in sorted(DIALPLANS.glob("*.conf")))
    return {
        "private": str(home.private), "includes": "\n".join(includes),
        "sip": str(Address.parse(settings.sip)), "trunk": str(Address.parse(settings.trunk)),
        "trunk_host": Address.parse(settings.trunk).host, "endpoint": endpoint("trunk", settings.ami_secret),
        "ami_host": settings.ami_host, "ami_port": str(settings.ami_port), "ami_user": settings.ami_user,
        "ami_secret": settings.ami_secret, "ari_port": str(settings.ari_port), "ari_user": settings.ari_user,
        "ari_secret": settings.ari_secret, "claim_s": f"{settings.claim_s:g}", "lease_s": str(settings.lease_s),
        "ring_timeout_s": str(settings.ring_timeout_s), "rounds": str(settings.rounds),
        "round_min_s": str(round(settings.round_min_s)), "ask_tries": str(settings.ask_tries),
        "rtp_timeout_s": str(settings.rtp_timeout_s), "trunks": _more_trunks(settings),
    }


def _more_trunks(settings: Settings) -> str:
    """Their sections of pjsip.conf. Who calls is known by his address: two trunks of one address are told apart only
    when we dial."""
    known = {Address.parse(settings.trunk).host}
    sections = []
    for trunk in settings.trunks:
        name = endpoint(trunk.name, settings.ami_secret)
        sections.append(f"[{name}](endpoint_of_trunks)\n")
        host = Address.parse(trunk.address).host
        if host not in known:
            sections.append(f"[{name}](identify_of_trunks)\nendpoint = {name}\nmatch = {host}\n")
        known.add(host)
    return "".join(sections)


def _write(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w") as file:
        file.write(text)


def remove(home: Home) -> None:
    """Delete a home with its private folder (tests)."""
    shutil.rmtree(home.private, ignore_errors=True)
    shutil.rmtree(home.path, ignore_errors=True)
