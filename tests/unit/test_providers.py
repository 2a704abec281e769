"""Providers become trunks while the engine runs, and cease to be."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from engine.ledger import Ledger
from engine.policy.trunks import MAIN, Trunk
from engine.ports import StoreFailed
from engine.providers import Providers
from engine.restraint import Restraint
from engine.store.memory_providers import MemoryProviders
from engine.switch.memory import MemorySwitch
from engine.vocabulary.values import Provider
from tests.desk import until

USUAL = Trunk(MAIN, 50, 500)


def provider(provider_id: int, **changes: object) -> Provider:
    made = Provider(provider_id, 1, "192.0.2.1", 5060, "joe", "right", "", False, 10)
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Picky(MemorySwitch):
    """Does not take these."""

    spurned: set[str] = field(default_factory=set)
    puts: list[list[str]] = field(default_factory=list)

    async def put_trunks(self, providers: Sequence[Provider]) -> Collection[str]:
        self.puts.append([one.trunk for one in providers])
        return set(await MemorySwitch.put_trunks(self, providers)) - self.spurned


@dataclass
class Desk:
    switch: Picky
    store: MemoryProviders
    ledger: Ledger
    providers: Providers

    def own(self, organisation: int = 1) -> list[Trunk]:
        return list(self.ledger._own.get(organisation, ()))

    def names(self) -> list[str]:
        return [one.name for one in self.own()]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.providers.RETRY_S", 0.01)
    yield


@asynccontextmanager
async def desk(*rows: Provider, is_up: bool = True) -> AsyncIterator[Desk]:
    switch, store = Picky(), MemoryProviders(*rows, wake_s=0.005)
    if is_up:
        switch.restore()
    ledger = Ledger([USUAL], Restraint())
    made = Providers(switch, store, ledger, USUAL)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(made.run())
        yield Desk(switch, store, ledger, made)
        task.cancel()


async def test_they_are_there_with_their_budget_or_the_usual_one() -> None:
    async with desk(provider(1, weight=20), provider(2, cps=1.5, channels=3), provider(3, organisation_id=2)) as one:
        await until(lambda: one.names() == ["p2", "p1"])
        assert one.own() == [Trunk("p2", 1.5, 3, (), 1, 10), Trunk("p1", 50, 500, (), 1, 20)]
        assert one.own(2) == [Trunk("p3", 50, 500, (), 2, 10)]
        assert set(one.switch.providers) == {"p1", "p2", "p3"}


async def test_a_new_one_is_there_and_a_removed_one_is_not_without_a_restart() -> None:
    async with desk() as one:
        one.store.put(provider(1))
        await until(lambda: one.names() == ["p1"])
        del one.store.rows[1]
        await until(lambda: one.names() == [] and not one.switch.providers)


async def test_what_did_not_change_is_told_to_the_switch_once() -> None:
    async with desk(provider(1)) as one:
        await until(lambda: one.names() == ["p1"])
        await asyncio.sleep(0.05)
        assert one.switch.puts == [["p1"]]
        one.providers.refresh()
        await one.providers.done()
        assert one.switch.puts == [["p1"], ["p1"]]


async def test_one_that_the_switch_does_not_take_is_no_trunk_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.providers.AGAIN_AFTER_S", 0.02)
    async with desk() as one:
        one.switch.spurned = {"p1"}
        one.store.put(provider(1))
        one.store.put(provider(2))
        await until(lambda: one.names() == ["p2"])
        one.switch.spurned = set()
        await until(lambda: one.names() == ["p1", "p2"])


async def test_a_removed_one_is_granted_no_more_before_the_switch_is_told() -> None:
    async with desk(provider(1), provider(2)) as one:
        await until(lambda: len(one.names()) == 2)
        seen: list[list[str]] = []
        put = one.switch.put_trunks

        async def watched(providers: Sequence[Provider]) -> Collection[str]:
            seen.append(one.names())
            return await put(providers)

        one.switch.put_trunks = watched  # type: ignore[method-assign]
        del one.store.rows[1]
        await until(lambda: bool(seen))
        assert seen == [["p2"]]


async def test_while_the_switch_is_away_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(provider(1), is_up=False) as one:
        one.providers.refresh()
        await one.providers.done()
        assert one.names() == []
        one.switch.restore()
        await until(lambda: one.names() == ["p1"])


async def test_while_the_database_is_away_they_stay() -> None:
    async with desk(provider(1)) as one:
        await until(lambda: one.names() == ["p1"])
        asked = asyncio.Event()

        async def gone() -> Sequence[Provider]:
            asked.set()
            raise StoreFailed("away")

        one.store.active = gone  # type: ignore[method-assign]
        await asked.wait()
        assert one.names() == ["p1"] and set(one.switch.providers) == {"p1"}
