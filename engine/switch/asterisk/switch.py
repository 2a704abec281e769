"""The Asterisk behind `ports.Switch`: commands become actions, messages become events.

The engine's one connection to one Asterisk. Orders are written without waiting; those of one turn of the loop go out in
one write. What an order did, or that it could not be done, comes back as an event.
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from engine.ports import AckNote, Connected, Disconnected, FallbackRow, Recorded, SwitchEvent, SwitchLost
from engine.switch.asterisk import acks, database, orders, recorded
from engine.switch.asterisk.connection import ActionFailed, AmiConnection, Figures, Message
from engine.switch.asterisk.encoder import NotEncodable, encode
from engine.switch.asterisk.facts import DIALLED, Facts
from engine.switch.asterisk.push import FAMILY, Push
from engine.switch.asterisk.redirects import AGAIN_AFTER_S, Redirect, Redirects
from engine.switch.asterisk.renewals import ACTION as RENEW
from engine.switch.asterisk.renewals import Renewals
from engine.switch.asterisk.trunks import TrunkBook
from engine.vocabulary.commands import Dial, DialAlarm, DialProgram, SwitchCommand
from engine.vocabulary.events import DialRefused, OrderExpired
from engine.vocabulary.values import Hotline, LiveLeg, Provider

log = structlog.get_logger(__name__)

HANG_UP_AGAIN_S = 0.25     # the channel of a dial comes some milliseconds after its order: until then nothing ends it
REFUSED_AFTER_S = 1.0      # a failed dial without a hang-up by then never had a channel
PUTS_AT_ONCE = 20
PUT_TIMEOUT_S = 5.0
DIALS = Dial | DialAlarm | DialProgram
BOOT_MARK = "RW_BOOT"      # a global variable: it is gone when Asterisk was restarted


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """Text for the socket; of an order also its leg, its own number, that of the `send` it came with, and whether it
    dials."""

    text: bytes
    leg: str = ""
    batch: int = 0
    number: int = 0
    verb: str | None = None
    not_after: datetime | None = None
    dials: bool = False


class AsteriskSwitch:
    """Implements ports.Switch. `figures` has the counters.

    `trunks`: HOST:PORT by name. `acks`: the folder in which the dialplan writes down who acknowledged; `recordings`:
    the one in which it leaves what programs record. `push`: the way to set providers, None where there are none.
    `renew_within_s`: below the time after which the dialplan joins an accepting agent by itself.
    """

    def __init__(
        self, host: str, port: int, user: str, secret: str, trunks: Mapping[str, str], acks: Path,
        recordings: Path, push: Push | None = None, renew_within_s: float = 1.0,
    ) -> None:
        self._trunks = TrunkBook(trunks, push, secret)
        self._acks = acks
        self._recordings = recordings
        self._connection = AmiConnection(host, port, user, secret, self._told, self._up, self._down)
        self._events: asyncio.Queue[SwitchEvent] = asyncio.Queue()
        self._facts = Facts()
        self._outgoing: list[_Outgoing] = []
        self._numbers = itertools.count(1)
        self._redirects = Redirects()
        self._renewals = Renewals(renew_within_s)
        self._puts: dict[str, asyncio.Future[None]] = {}

    @property
    def figures(self) -> Figures:
        return self._connection.figures

    @property
    def lag_s(self) -> float:
        return self._connection.figures.lag_s

    @property
    def is_up(self) -> bool:
        return self._connection.is_up

    async def run(self) -> None:
        await self._connection.run()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._events.get()

    def now(self) -> datetime:
        return self._connection.now()

    # -- orders ------------------------------------------------------------------------------------------------

    def send(self, commands: Sequence[SwitchCommand]) -> None:
        """The orders of one step of one call. With one that comes too late all that follow it here are dropped.

        Raises SwitchLost. With a value that must not go to the switch none of them is written: the caller's lease
        runs out, and the dialplan serves him. A dial by a trunk that was removed meanwhile is refused alone.
        """
        if not self._connection.is_up:
            raise SwitchLost("not connected")
        batch, ways = next(self._numbers), self._trunks.ways
        gone = {command.leg for command in commands
                if isinstance(command, DIALS) and command.trunk not in ways}
        for leg in gone:
            log.info("switch.trunk_gone", leg=leg)
            self._events.put_nowait(DialRefused(self.now(), leg))
        commands = [command for command in commands if command.leg not in gone]
        try:
            items = [_Outgoing(orders.order(command, ways, number), command.leg, batch, number,
                               orders.verb(command), getattr(command, "not_after", None), isinstance(command, DIALS))
                     for number, command in zip(self._numbers, commands, strict=False)]
        except NotEncodable:
            log.exception("switch.order_refused", orders=[type(command).__name__ for command in commands])
            for command in commands:
                if isinstance(command, DIALS):
                    self._events.put_nowait(DialRefused(self.now(), command.leg))
            return
        self._queue(items)

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        """Changes nothing else: a redirect that is still on its way stays. Goes out when the switch has answered."""
        if self._connection.is_up and legs:
            now_s = asyncio.get_running_loop().time()
            self._queue([_Outgoing(orders.question(self._renewals.ask(next(self._numbers), legs, lease_s, now_s)))])

    def _queue(self, items: Sequence[_Outgoing]) -> None:
        if items and not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing += items

    def _flush(self) -> None:
        """Everything of this turn in one write, dials first: phones ring before a greeting is sent on its way. What is
        late is found here, at the very moment of writing."""
        items, self._outgoing = self._outgoing, []
        expired: set[int] = set()
        dials: list[bytes] = []
        others: list[bytes] = []
        now = self.now()
        for item in items:
            if item.batch in expired:
                continue
            if item.not_after is not None and now > item.not_after:
                expired.add(item.batch)
                self._events.put_nowait(OrderExpired(now, item.leg))
                continue
            if item.leg:
                self._renewals.ordered(item.leg)
                self._redirects.sent(item.leg, item.verb, item.number, item.not_after)
            (dials if item.dials else others).append(item.text)
        data = [*dials, *others]
        try:
            if data:
                self._connection.write(b"".join(data), sum(text.count(b"\r\n\r\n") for text in data))
        except SwitchLost:
            log.warning("switch.orders_lost", orders=len(data))    # Disconnected is on its way: the engine reconciles

    def _redirect_again(self, redirect: Redirect) -> None:
        if self._connection.is_up and self._redirects.is_wanted(redirect, self.now()):
            text = encode(orders.redirect(redirect.leg, redirect.verb, redirect.number))
            self._queue([_Outgoing(text)])

    # -- what the switch knows ---------------------------------------------------------------------------------

    async def live(self) -> Mapping[str, LiveLeg]:
        self._flush()
        answer = await self._connection.ask([("Action", "CoreShowChannels")])
        legs = {}
        for m in answer:
            if m.get("event") != "CoreShowChannel" or m["channel"].startswith("Surrogate/"):
                continue
            leg, is_up = m["uniqueid"], m["channelstatedesc"] == "Up"
            # a leg that is being dialled does not run the context that it shows
            place = "" if DIALLED.fullmatch(leg) and not is_up else m["context"]
            legs[leg] = LiveLeg(leg, m["channel"], place, is_up, m["bridgeid"], m["linkedid"], _seconds(m["duration"]))
        self._facts.saw({leg: one.is_up for leg, one in legs.items()})
        return legs

    async def put_hotlines(self, hotlines: Sequence[Hotline]) -> None:
        wanted = database.wanted_rows(hotlines)
        for _ in range(3):
            found = await self._tree(database.HOTLINES) | await self._tree(database.PHONES)
            writes, deletes = database.difference(wanted, found)
            if not writes and not deletes:
                return
            for key in deletes:
                await self._connection.ask(orders.delete(key))
            rows = list(writes.items())
            for start in range(0, len(rows), PUTS_AT_ONCE):
                await self._put(rows[start:start + PUTS_AT_ONCE])
        raise ActionFailed(f"{len(writes)} rows could not be written to the switch's database")

    async def put_trunks(self, providers: Sequence[Provider]) -> Collection[str]:
        return await self._trunks.put(providers, await self._tree(FAMILY))

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        return database.fallback_rows(await self._tree(database.STEPS))

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        for row in rows:
            await self._connection.ask(orders.delete(row.key))

    async def acknowledgements(self) -> Sequence[AckNote]:
        """Read from the folder, not from Asterisk: it may be gone."""
        return await asyncio.to_thread(acks.notes, self._acks)

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        await asyncio.to_thread(acks.forget, self._acks, notes)

    async def recorded(self) -> Sequence[Recorded]:
        return await asyncio.to_thread(recorded.complete, self._recordings)

    async def recorded_audio(self, one: Recorded) -> bytes:
        return await asyncio.to_thread(recorded.audio, self._recordings, one)

    async def forget_recorded(self, one: Recorded) -> None:
        await asyncio.to_thread(recorded.forget, self._recordings, one)

    async def _tree(self, family: str) -> dict[str, str]:
        answer = await self._connection.ask([("Action", "DBGetTree"), ("Family", family)])
        return {m["key"].strip("/"): m.get("val", "") for m in answer if m.get("event") == "DBGetTreeResponse"}

    async def _put(self, rows: Sequence[tuple[str, str]]) -> None:
        """Returns when the dialplan has run for each row; whether it wrote is seen by reading again."""
        loop = asyncio.get_running_loop()
        waiting = {str(uuid.uuid4()): loop.create_future() for _ in rows}
        text = b"".join(orders.put(put, key, value) for put, (key, value) in zip(waiting, rows, strict=True))
        self._puts |= waiting
        try:
            self._connection.write(text, len(rows))
            _, late = await asyncio.wait(waiting.values(), timeout=PUT_TIMEOUT_S)
            if late:
                log.warning("switch.put_slow", rows=len(late))
        finally:
            for put in waiting:
                del self._puts[put]

    # -- what the connection tells -----------------------------------------------------------------------------

    def _told(self, message: Message) -> None:
        if message.get("event") == "Hangup" and (put := self._puts.get(message.get("uniqueid", ""))):
            if not put.done():
                put.set_result(None)
            return
        if redirect := self._redirects.refused(message):
            asyncio.get_running_loop().call_later(AGAIN_AFTER_S, self._redirect_again, redirect)
            return
        match message.get("actionid", "").split(":"):
            case ["end", leg, cause] if message.get("response") == "Error" and DIALLED.fullmatch(leg):
                asyncio.get_running_loop().call_later(HANG_UP_AGAIN_S, self._hang_up_again, leg, int(cause))
            case [action, number] if action == RENEW:
                due, lease_s = self._renewals.answered(number, asyncio.get_running_loop().time())
                self._queue([_Outgoing(orders.renewal(leg, lease_s)) for leg in due])
        before = set(self._facts.suspects)
        for event in self._facts.read(message, self.now()):
            self._renewals.told(event)
            self._events.put_nowait(event)
        for leg in self._facts.suspects - before:
            asyncio.get_running_loop().call_later(REFUSED_AFTER_S, self._ask_alive, leg)

    def _hang_up_again(self, leg: str, cause: int) -> None:
        if self._connection.is_up:
            self._queue([_Outgoing(orders.hang_up_again(leg, cause))])

    def _ask_alive(self, leg: str) -> None:
        if leg in self._facts.suspects and self._connection.is_up:
            self._queue([_Outgoing(orders.alive(leg))])

    async def _up(self) -> None:
        try:
            (answer,) = await self._connection.ask([("Action", "Getvar"), ("Variable", BOOT_MARK)])
            is_fresh = not answer.get("value")
        except ActionFailed:
            is_fresh = True
        if is_fresh:
            await self._connection.ask([("Action", "Setvar"), ("Variable", BOOT_MARK), ("Value", uuid.uuid4().hex)])
            self._facts.saw({})
        log.info("switch.connected", fresh=is_fresh)
        self._events.put_nowait(Connected(is_fresh))

    def _down(self, reason: str) -> None:
        self._outgoing.clear()
        self._redirects.clear()
        self._renewals.clear()
        for put in self._puts.values():
            if not put.done():
                put.set_result(None)
        log.warning("switch.disconnected", reason=reason)
        self._events.put_nowait(Disconnected(reason))


def _seconds(duration: str) -> float:
    """`00:01:02` as seconds."""
    hours, minutes, seconds = (int(part) for part in duration.split(":"))
    return float(hours * 3600 + minutes * 60 + seconds)
