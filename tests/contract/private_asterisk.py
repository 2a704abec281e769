"""An Asterisk of a test's own, with a dialplan of its own, and a bare AMI session to it.

The facts that the design stands on (ARCHITECTURE.md) are checked on it, below every adapter of ours, and it may be
killed. Nothing here is used by the product.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.runtime.child import launch
from engine.runtime.ports import Address

MODULES = """
app_dial app_playback app_read app_stack app_userevent app_senddtmf app_originate app_exec app_bridgeaddchan
app_echo bridge_simple bridge_builtin_features bridge_native_rtp bridge_holding bridge_softmix chan_pjsip
codec_alaw codec_ulaw codec_a_mu format_pcm format_sln format_wav func_callerid func_channel func_cut func_db
func_env func_global func_groupcount func_hangupcause func_lock func_logic func_math func_strings func_timeout
func_dialplan func_export func_rand pbx_config res_musiconhold res_pjproject res_pjsip res_pjsip_caller_id
res_pjsip_dtmf_info res_pjsip_endpoint_identifier_ip res_pjsip_nat res_pjsip_pubsub res_pjsip_rfc3326
res_pjsip_sdp_rtp res_pjsip_session res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory
res_timing_timerfd res_format_attr_h264 func_config app_verbose func_sprintf res_pjsip_header_funcs
"""

MANAGER = """[general]
enabled = yes
port = {ami}
bindaddr = 127.0.0.1
timestampevents = yes
[t]
secret = s
read = call,user,system
write = call,originate,reporting
eventfilter(action(include),name(UserEvent)) =
eventfilter(action(include),name(Hangup)) =
eventfilter(action(include),name(OriginateResponse)) =
eventfilter(action(include),name(FullyBooted)) =
[all]
secret = s
read = all
write = all
"""

PJSIP = """[global]
type = global
endpoint_identifier_order = ip
user_agent = Ringward
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{sip}
[trunk]
type = endpoint
context = in
disallow = all
allow = alaw,ulaw
dtmf_mode = auto
direct_media = no
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.1
"""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    return Address("127.0.0.1", 0).chosen(kind).port


class PrivateAsterisk:
    """One Asterisk below `home`, with `dialplan` as its extensions.conf. It may be killed and started again."""

    def __init__(self, command: Sequence[str], data: Path, modules: Path, home: Path, dialplan: str,
                 manager: str = MANAGER) -> None:
        self.command, self.home = list(command), home
        self.ami_port, self.sip_port = free_port(), free_port(socket.SOCK_DGRAM)
        self.process: subprocess.Popen[bytes] | None = None
        etc = home / "etc"
        for name in ("etc", "lib", "db", "log", "spool", "run", "sounds", "keys"):
            (home / name).mkdir(parents=True, exist_ok=True)
        self.tone(home / "sounds" / "long.ulaw", 20)
        self.tone(home / "sounds" / "short.ulaw", 0.2)
        self.tone(home / "sounds" / "moh" / "m.ulaw", 5)
        fill = {"ami": self.ami_port, "sip": self.sip_port}
        write = {
            "asterisk.conf": f"[directories]\nastetcdir => {etc}\nastmoddir => {modules}\n"
            f"astvarlibdir => {home}/lib\nastdbdir => {home}/db\nastkeydir => {home}/keys\nastdatadir => {data}\n"
            f"astspooldir => {home}/spool\nastrundir => {home}/run\nastlogdir => {home}/log\n"
            f"astagidir => {home}/lib\n[options]\nlive_dangerously = no\nverbose = 3\nhideconnect = yes\n"
            "documentation_language = en_US\n",
            "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {m}.so\n" for m in MODULES.split()),
            "logger.conf": "[logfiles]\nfull => notice,warning,error,verbose\n",
            "manager.conf": manager.format(**fill),
            "pjsip.conf": PJSIP.format(**fill),
            "extensions.conf": "[general]\nstatic=yes\nwriteprotect=yes\n[globals]\nSND=" + str(home / "sounds")
            + "\nHOMEDIR=" + str(home) + "\n" + dialplan,
            "musiconhold.conf": f"[default]\nmode=files\ndirectory={home}/sounds/moh\n",
            "rtp.conf": "[general]\nrtpstart=30000\nrtpend=30999\n",
            "cdr.conf": "[general]\nenable=no\n", "cel.conf": "[general]\nenable=no\n",
        }
        for name, text in write.items():
            (etc / name).write_text(text)

    @staticmethod
    def tone(path: Path, seconds: float) -> None:
        """Not silence, so that a test can tell it from nothing: a square wave of 250 Hz."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((b"\x90" * 16 + b"\x10" * 16) * int(seconds * 250))

    def console(self, command: str) -> str:
        """What Asterisk's own console answers."""
        argv = [*self.command, "-C", str(self.home / "etc" / "asterisk.conf"), "-rx", command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout

    async def start(self, user: str = "t") -> None:
        self.process = launch([*self.command, "-C", str(self.home / "etc" / "asterisk.conf"), "-f"],
                              log=self.home / "out.txt", cwd=Path("/"))
        async with asyncio.timeout(20):
            while True:
                try:
                    async with self.ami(user) as ami:
                        await ami.until(lambda m: m.get("Event") == "FullyBooted")
                        return
                except OSError:
                    if self.process.poll() is not None:
                        raise RuntimeError((self.home / "out.txt").read_text()[-2000:]) from None
                    await asyncio.sleep(0.02)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @contextlib.asynccontextmanager
    async def ami(self, user: str = "t") -> AsyncIterator["Ami"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ami_port, limit=1 << 20)
        ami = Ami(reader, writer)
        try:
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(ami.read())
                try:
                    await ami.ask(Action="Login", Username=user, Secret="s")
                    yield ami
                finally:
                    task.cancel()
        except* OSError as group:
            raise group.exceptions[0] from None
        finally:
            writer.close()

    @property
    def sip(self) -> tuple[str, int]:
        return ("127.0.0.1", self.sip_port)

    def log(self) -> str:
        path = self.home / "log" / "full"
        return path.read_text(errors="replace") if path.exists() else ""


class Ami:
    """A bare AMI session: every message is kept in `seen`; `ask` returns the response, `until` waits for a message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.seen: list[dict[str, str]] = []
        self._came = asyncio.Condition()
        self._n = 0
        self.closed = False

    async def read(self) -> None:
        await self.reader.readline()
        try:
            while True:
                block = await self.reader.readuntil(b"\r\n\r\n")
                message: dict[str, str] = {}
                for line in block.decode(errors="replace").split("\r\n"):
                    name, sep, value = line.partition(":")
                    if sep:
                        message[name] = f"{message[name]}\n{value.strip()}" if name in message else value.strip()
                async with self._came:
                    self.seen.append(message)
                    self._came.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            async with self._came:
                self.closed = True
                self._came.notify_all()

    def send(self, fields: Sequence[tuple[str, str]]) -> None:
        self.writer.write("".join(f"{k}: {v}\r\n" for k, v in fields).encode() + b"\r\n")

    async def ask(self, *more: tuple[str, str], **fields: str) -> dict[str, str]:
        """One action; several `Variable` headers go in `more`."""
        self._n += 1
        mine = fields.setdefault("ActionID", f"n{self._n}")
        self.send([*fields.items(), *more])
        return await self.until(lambda m: "Response" in m and m.get("ActionID") == mine)

    async def until(self, match: Any, timeout_s: float = 5, after: int = 0) -> dict[str, str]:
        async def search() -> dict[str, str]:
            at = after
            async with self._came:
                while True:
                    while at < len(self.seen):
                        if match(self.seen[at]):
                            return self.seen[at]
                        at += 1
                    if self.closed:
                        raise ConnectionError("the AMI session was closed")
                    await self._came.wait()

        try:
            async with asyncio.timeout(timeout_s):
                return await search()
        except TimeoutError:
            raise AssertionError(f"no such message; seen: {self.seen[-12:]}") from None

    async def said(self, what: str, n: int = 1, timeout_s: float = 5, **fields: str) -> dict[str, str]:
        """The nth UserEvent `T` with header `V: what`."""
        def match(m: dict[str, str]) -> bool:
            return (m.get("Event") == "UserEvent" and m.get("V") == what
                    and all(m.get(k) == v for k, v in fields.items()))

        found: list[int] = []

        def nth(m: dict[str, str]) -> bool:
            if match(m):
                found.append(1)
            return len(found) == n

        return await self.until(nth, timeout_s)

    async def hung_up(self, leg: str, timeout_s: float = 5) -> dict[str, str]:
        return await self.until(lambda m: m.get("Event") == "Hangup" and m.get("Uniqueid") == leg, timeout_s)

    async def var(self, channel: str, name: str) -> str:
        return (await self.ask(Action="Getvar", Channel=channel, Variable=name)).get("Value", "")

    async def channels(self) -> dict[str, dict[str, str]]:
        """CoreShowChannels, by uniqueid."""
        self._n += 1
        mine, start = f"l{self._n}", len(self.seen)
        self.send([("Action", "CoreShowChannels"), ("ActionID", mine)])
        await self.until(lambda m: m.get("Event") == "CoreShowChannelsComplete" and m.get("ActionID") == mine,
                         after=start)
        return {m["Uniqueid"]: m for m in self.seen[start:]
                if m.get("Event") == "CoreShowChannel" and m.get("ActionID") == mine}

    async def db(self, family: str) -> dict[str, str]:
        """DBGetTree."""
        self._n += 1
        mine, start = f"d{self._n}", len(self.seen)
        self.send([("Action", "DBGetTree"), ("Family", family), ("ActionID", mine)])
        await self.until(lambda m: m.get("ActionID") == mine and (
            m.get("Event") == "DBGetTreeComplete" or m.get("Response") == "Error"), after=start)
        return {m["Key"]: m["Val"] for m in self.seen[start:] if m.get("Event") == "DBGetTreeResponse"}


def events(seen: Sequence[dict[str, str]], leg: str) -> Iterator[str]:
    """The `V` of every UserEvent of a leg, in order."""
    for m in seen:
        if m.get("Event") == "UserEvent" and m.get("Uniqueid") == leg and re.fullmatch(r"\w+", m.get("V", "")):
            yield m["V"]
