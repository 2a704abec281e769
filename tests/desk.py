"""The live calls on twins: a switch in memory, a store in memory, one hotline. For tests of `engine/call.py` and above.

    async with desk() as at:
        caller = await at.arrives()
        await at.passes(2.5)
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from engine.call import Calls
from engine.figures import Figures
from engine.ledger import Ledger
from engine.mailbox import Begin
from engine.policy.trunks import MAIN, Trunk
from engine.ports import CallStore, Connected, Disconnected
from engine.restraint import Restraint
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import Dial, SwitchCommand
from engine.vocabulary.events import CallArrived, FallbackStarted
from engine.vocabulary.values import Hotline, Rules
from tests.clocks import SwitchClock
from tests.playbook import a_hotline

RULES = Rules(ring_timeout_s=25, rounds=3, round_min_s=0, ask_tries=3, claim_within_s=1.5)
ACCEPTS = Phone(answers_s=1, keys="1")
RINGS = Phone()
Order = TypeVar("Order", bound=SwitchCommand)


@dataclass
class Desk:
    """What a test drives. `hotlines` are those whose numbers are known, `book` the alarms that people post."""

    switch: MemorySwitch
    shelf: Shelf
    store: CallStore
    calls: Calls
    hotlines: dict[str, Hotline] = field(default_factory=dict)
    book: AlarmBook = field(init=False)
    alarms: MemoryAlarms = field(init=False)
    reloads: int = 0

    def __post_init__(self) -> None:
        self.calls.on_reload = self._reloaded
        self.book = AlarmBook(self.shelf)
        self.alarms = MemoryAlarms(self.book)

    def _reloaded(self) -> None:
        self.reloads += 1

    async def listen(self) -> None:
        """As `engine/app.py` does, without a look-up."""
        async for event in self.switch.events():
            match event:
                case CallArrived(did=did) if did in self.hotlines:
                    self.calls.mailbox.post(Begin(event, self.hotlines[did]))
                case FallbackStarted(did=did) if did in self.hotlines and not self.calls.knows(event.leg):
                    self.calls.mailbox.post(Begin(event, self.hotlines[did]))
                case CallArrived() | Connected() | Disconnected():
                    pass
                case _:
                    self.calls.mailbox.post(event)

    async def arrives(self, did: str = "4930555") -> str:
        leg = self.switch.arrive(did)
        await self.settles()
        return leg

    async def passes(self, seconds: float, step_s: float = 0.25) -> None:
        """Time goes by on the switch, and the calls answer."""
        while seconds > 0:
            self.switch.advance(min(step_s, seconds))
            seconds -= step_s
            await self.settles()

    async def settles(self) -> None:
        """Everything that can happen without time going by has happened."""
        for _ in range(4):
            await turns()
            async with asyncio.timeout(5):
                await self.calls.settled()

    async def ticks(self) -> None:
        self.calls.mailbox.tick()
        await self.settles()

    def sent(self, kind: type[Order]) -> list[Order]:
        return [order for order in self.switch.sent if isinstance(order, kind)]

    def dialled(self) -> list[str]:
        return [order.number for order in self.sent(Dial)]

    def entries(self) -> list[str]:
        return [row.type.value for _, row in self.shelf.rows if hasattr(row, "type")]


@asynccontextmanager
async def desk(
    *hotlines: Hotline, phones: dict[str, Phone] | None = None, lease_s: int = 10, trunk_cps: float = 1000,
    trunk_channels: int = 1000, headroom: float = 0.2, store: Callable[[Shelf], CallStore] = MemoryCalls,
    switch: Callable[[], MemorySwitch] = MemorySwitch, shelf: Shelf | None = None,
) -> AsyncIterator[Desk]:
    made = switch()
    made.phones.update(phones or {})
    made.lease_s = 3600  # the switch's time goes faster than the engine's, which renews once in a real second
    shelf = shelf or Shelf(SwitchClock(made))
    stored = store(shelf)
    restraint = Restraint(clock_s=SwitchClock(made).monotonic)
    ledger = Ledger([Trunk(MAIN, trunk_cps, trunk_channels)], restraint, headroom)
    calls = Calls(made, stored, RULES, Figures(), ledger, restraint, lease_s=lease_s)
    at = Desk(made, shelf, stored, calls, {one.number: one for one in hotlines or (a_hotline(),)})
    assert await stored.take_over(10)
    await calls.load()
    made.restore()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(calls.run()), tasks.create_task(at.listen())]
        try:
            yield at
        finally:
            for task in running:
                task.cancel()


async def turns(count: int = 10) -> None:
    """Let the loop run what is ready; nothing here waits for anything else."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], timeout_s: float = 5) -> None:
    """A bounded wait."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- what the tests wait for tells nobody
            await asyncio.sleep(0.002)


