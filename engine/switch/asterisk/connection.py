"""One AMI connection that comes back by itself. The only file that knows panoramisk.

A fresh `Manager` serves each connection, so that nothing of a lost one lives on: no action is ever sent again (the
engine's outbox owns retries), no future waits for ever (all pending ones fail at the loss). Its own reconnecting and
pinging are off; ours are here: back-off with jitter, and a ping that finds a link which is up on one side only.
Every message that nobody asked for goes to one synchronous callback.
"""

import asyncio
import codecs
import random
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message as PanoramiskMessage

from engine.ports import SwitchLost
from engine.switch.asterisk.encoder import encode
from engine.vocabulary.values import RingwardError

log = structlog.get_logger(__name__)

PING_EVERY_S = 2.0
PONG_WITHIN_S = 3.0
FIRST_RETRY_S = (0.05, 0.2)
LONGEST_RETRY_S = 3.0
REFUSED_RETRY_S = 5.0
CONNECT_TIMEOUT_S = 5.0
ANSWER_WITHIN_S = 5.0
BOOT_TIMEOUT_S = 30.0
MAX_MESSAGE = 1 << 20

Message = Mapping[str, str]


class LoginRefused(RingwardError):
    """Asterisk does not take our name and secret."""


class ActionFailed(RingwardError):
    """Asterisk refused an action, or did not answer in time."""


@dataclass(slots=True)
class Figures:
    """Counters since the start, and the last ping's round trip."""

    messages_in: int = 0
    messages_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    reconnects: int = 0
    lag_s: float = 0.0


class _Everything(Container[object]):
    def __contains__(self, _: object) -> bool:
        return True


class _Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's protocol with an incremental decoder, and deaf to no one: a bad message is logged, not fatal."""

    def __init__(self, link: "Link") -> None:
        self.link = link
        self.rest = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.link.opened(transport)

    def data_received(self, data: bytes) -> None:
        self.link.received(len(data))
        *blocks, self.rest = (self.rest + self.decoder.decode(data)).split("\r\n\r\n")
        if len(self.rest) > MAX_MESSAGE:
            self.rest = ""
            self.transport.abort()
        for block in blocks:
            try:
                self.read(_without_banner(block))
            except Exception:
                log.exception("ami.bad_message", length=len(block))

    def read(self, block: str) -> None:
        """What somebody waits for is panoramisk's; what nobody asked for, which is nearly all, is read by us: that is
        several times cheaper."""
        message = headers(block)
        if "event" not in message and "response" not in message:
            return
        self.link.figures.messages_in += 1
        if message.get("actionid") in self.responses:
            self.handle_message(PanoramiskMessage.from_line(block))
        else:
            self.link.told(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.link.lost(str(exc or "Asterisk closed the connection"))


class _Asked(Action):  # type: ignore[misc]  # panoramisk is untyped
    """One action whose answer is whole or none: of a list also every item, as many as its end counts. panoramisk takes
    any second message for the end, and an item for the answer; a snapshot that lacks channels would end their calls."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__(dict(fields))
        self.answer: PanoramiskMessage | None = None
        self.listed: list[PanoramiskMessage] = []
        self.counted: int | None = None

    def add_message(self, message: PanoramiskMessage) -> bool:
        """True: that was all."""
        if "event" not in message:
            self.answer = self.answer or message
        elif message.eventlist == "Complete":
            self.counted = int(message.listitems)
        else:
            self.listed.append(message)
        if self.answer is None or (self.answer.eventlist == "start" and self.counted != len(self.listed)):
            return False
        if not self.future.done():
            self.future.set_result([self.answer, *self.listed])
        return True


class _Manager(Manager):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's manager for one connection: it logs in and sends; reconnecting and pinging are not its business."""

    def ping(self) -> None:
        """Ours is in AmiConnection."""

    def connect(self, *_: Any, **__: Any) -> None:
        """It would reconnect by itself."""

    def login(self, _: Any) -> None:
        """It would raise inside a callback when the link is lost meanwhile; Link.open reads the answer."""


def headers(block: str) -> Message:
    """Names are in small letters; of those that come more than once the first one counts."""
    found: dict[str, str] = {}
    for line in block.split("\r\n"):
        name, colon, value = line.partition(": ")
        if colon:
            found.setdefault(name.lower(), value)
    return found


def _without_banner(block: str) -> str:
    block = block.strip("\r\n")
    return block.partition("\r\n")[2] if block.startswith("Asterisk Call Manager/") else block


class Link:
    """One connection's life, from the socket to its loss."""

    def __init__(self, figures: Figures, on_message: Callable[[Message], None]) -> None:
        self.figures, self.on_message = figures, on_message
        self.loop = asyncio.get_running_loop()
        self.manager: Any = None
        self.is_booted = asyncio.Event()
        self.is_lost = asyncio.Event()
        self.reason = ""
        self.heard_at = self.loop.time()
        self.transport: Any = None

    async def open(self, host: str, port: int, user: str, secret: str) -> None:
        """Connect and log in. Raises OSError, TimeoutError, LoginRefused, SwitchLost."""
        self.manager = _Manager(
            host=host, port=port, username=user, secret=secret, loop=self.loop, encoding="utf-8",
            forgetable_actions=_Everything(), protocol_factory=lambda: _Protocol(self))
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connected = await self.loop.create_connection(self.manager.config["protocol_factory"], host, port)
            ready: asyncio.Future[Any] = self.loop.create_future()
            ready.set_result(connected)
            self.manager.connection_made(ready)    # logs in
            response = await self.manager.authenticated_future
            if not response.success:
                raise LoginRefused(f"Asterisk refuses the AMI user {user}: {response.message}")
        async with asyncio.timeout(BOOT_TIMEOUT_S):
            await self.is_booted.wait()
        self.alive()

    def opened(self, transport: Any) -> None:
        self.transport = transport

    def received(self, length: int) -> None:
        self.figures.bytes_in += length
        self.heard_at = self.loop.time()

    def told(self, message: Message) -> None:
        if message.get("event") == "FullyBooted":
            self.is_booted.set()
        self.on_message(message)

    def lost(self, reason: str) -> None:
        """Every wait ends here; panoramisk's futures would wait for ever."""
        self.reason = self.reason or reason
        self.is_lost.set()
        self.is_booted.set()
        if self.manager is None or self.manager.protocol is None:
            return
        if self.manager.pinger:
            self.manager.pinger.cancel()
        for action in list(self.manager.protocol.responses.values()):
            if not action.future.done():
                action.future.set_exception(SwitchLost(self.reason))
                action.future.exception()      # nobody may be waiting: that is no warning
        self.manager.protocol.responses.clear()

    def alive(self) -> None:
        """Raises SwitchLost if the link is not up."""
        if self.transport is None or self.is_lost.is_set() or self.transport.is_closing():
            raise SwitchLost(self.reason or "not connected")

    def close(self, reason: str) -> None:
        self.reason = self.reason or reason
        if self.transport is not None:
            self.transport.abort()
        self.lost(reason)

    def write(self, data: bytes, messages: int) -> None:
        self.alive()
        self.figures.messages_out += messages
        self.figures.bytes_out += len(data)
        self.transport.write(data)

    async def ask(self, fields: Sequence[tuple[str, str]], timeout_s: float) -> list[Message]:
        self.alive()
        self.figures.bytes_out += len(encode(fields))      # its rules hold for panoramisk's own encoding too
        self.figures.messages_out += 1
        asked = _Asked(fields)
        self.manager.send_action(asked)
        try:
            async with asyncio.timeout(timeout_s):
                messages = await asked.future
        except TimeoutError as error:
            self.manager.protocol.responses.pop(asked.id, None)
            raise ActionFailed(f"no answer to {asked['Action']} within {timeout_s} s") from error
        if not messages[0].success:
            raise ActionFailed(f"{asked['Action']}: {messages[0].message}")
        return [{k.lower(): str(v) for k, v in m.items()} for m in messages]


class AmiConnection:
    """Keeps a link up while `run` runs. `on_up` is called with each new one before anything else is sent on it."""

    def __init__(self, host: str, port: int, user: str, secret: str, on_message: Callable[[Message], None],
                 on_up: Callable[[], Any], on_down: Callable[[str], None]) -> None:
        self.host, self.port, self.user, self._secret = host, port, user, secret
        self.on_message, self.on_up, self.on_down = on_message, on_up, on_down
        self.figures = Figures()
        self._link: Link | None = None
        self._clock: tuple[datetime, float] | None = None
        self._told_down = False

    @property
    def is_up(self) -> bool:
        return self._link is not None and not self._link.is_lost.is_set()

    @property
    def pending(self) -> int:
        """Actions whose answer somebody waits for."""
        return len(self._link.manager.protocol.responses) if self._link else 0

    def now(self) -> datetime:
        """The switch's clock: its last Pong's time, carried on by our monotonic clock."""
        if self._clock is None:
            return datetime.now(UTC)
        return self._clock[0] + timedelta(seconds=asyncio.get_running_loop().time() - self._clock[1])

    def write(self, data: bytes, messages: int = 1) -> None:
        """Into the socket, without waiting for an answer. Raises SwitchLost."""
        if self._link is None:
            raise SwitchLost("not connected")
        self._link.write(data, messages)

    async def ask(self, fields: Sequence[tuple[str, str]], timeout_s: float | None = None) -> list[Message]:
        """Send one action and wait for its answer: one message, or, of a list, that and its items.

        Raises SwitchLost, ActionFailed.
        """
        if self._link is None:
            raise SwitchLost("not connected")
        return await self._link.ask(fields, timeout_s or ANSWER_WITHIN_S)

    async def run(self) -> None:
        """Until cancelled."""
        retry_s = 0.0
        while True:
            started = asyncio.get_running_loop().time()
            reason, refused = await self._serve()
            if not self._told_down:
                self._told_down = True
                self.on_down(reason)
            self.figures.reconnects += 1
            if refused:
                retry_s = REFUSED_RETRY_S
            elif retry_s == 0.0 or asyncio.get_running_loop().time() - started > 2 * LONGEST_RETRY_S:
                retry_s = random.uniform(*FIRST_RETRY_S)  # noqa: S311 -- jitter
            else:
                retry_s = min(LONGEST_RETRY_S, retry_s * random.uniform(1.5, 2.5))  # noqa: S311 -- jitter
            await asyncio.sleep(retry_s)

    async def _serve(self) -> tuple[str, bool]:
        """One connection. Returns why it ended and whether it was the secret."""
        link = Link(self.figures, self.on_message)
        try:
            await link.open(self.host, self.port, self.user, self._secret)
            self._link = link
            await self._ping(link)
            await self.on_up()
            link.alive()
            self._told_down = False
            while True:
                try:
                    async with asyncio.timeout(PING_EVERY_S):
                        await link.is_lost.wait()
                    return link.reason, False
                except TimeoutError:
                    await self._ping(link)
        except LoginRefused as error:
            log.error("ami.refused", user=self.user, hint="the AMI secret is wrong")
            return str(error), True
        except TimeoutError:
            return "Asterisk did not answer in time", False
        except (OSError, RingwardError) as error:
            return str(error), False
        finally:
            self._link = None
            link.close("closed")

    async def _ping(self, link: Link) -> None:
        """Measures lag and the switch's clock. Raises SwitchLost for a link that is silent."""
        sent = asyncio.get_running_loop().time()
        try:
            pong = (await link.ask([("Action", "Ping")], PONG_WITHIN_S))[0]
        except ActionFailed:
            if link.heard_at > sent:       # we were stopped ourselves: the Pong waits behind what we read just now
                return
            raise SwitchLost("Asterisk is silent") from None
        back = asyncio.get_running_loop().time()
        self.figures.lag_s = back - sent
        stamp = datetime.fromtimestamp(float(pong["timestamp"]), UTC)
        if self._clock is None or back - sent < 0.1 or abs((self.now() - stamp).total_seconds()) > 1:
            self._clock = (stamp, (sent + back) / 2)
