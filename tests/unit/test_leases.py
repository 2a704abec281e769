"""Leases of waiting callers are renewed while the engine knows where they are, and at no other time."""

import asyncio
from typing import Any

import pytest

from engine.mailbox import ForCall
from engine.switch.memory import MemorySwitch
from engine.vocabulary.events import Reconciled
from tests.call_stores import HeldStore
from tests.desk import ACCEPTS, RINGS, Desk, desk, until
from tests.playbook import a_hotline


class RenewedSwitch(MemorySwitch):
    """Remembers the leases it was asked to renew."""

    renewals: list[list[str]]

    def renew(self, legs: Any, lease_s: int) -> None:
        self.renewals.append(list(legs))
        MemorySwitch.renew(self, legs, lease_s)


def renewed() -> RenewedSwitch:
    switch = RenewedSwitch()
    switch.renewals = []
    return switch


def renewals(at: Desk) -> list[list[str]]:
    assert isinstance(at.switch, RenewedSwitch)
    return at.switch.renewals


async def real_time(seconds: float) -> None:
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() - began > seconds)


async def compares(at: Desk) -> None:
    at.calls.mailbox.post(ForCall(at.calls.ids()[0], Reconciled(at.switch.now(), await at.switch.live())))
    await at.settles()


async def test_leases_are_renewed_for_callers_who_wait_and_for_nobody_else() -> None:
    async with desk(a_hotline(2), phones={"49300001": ACCEPTS}, lease_s=0, switch=renewed) as at:
        talking = await at.arrives()
        await at.passes(2)
        at.switch.phones["49300002"] = RINGS
        waiting = await at.arrives()
        await at.ticks()
        assert renewals(at) == [[waiting]]
        assert talking in await at.switch.live()


async def test_a_lease_is_renewed_three_times_in_its_life_and_not_when_it_has_just_begun() -> None:
    """A greeting that came too late leaves the caller to the dialplan: a lease would end the fallback."""
    async with desk(lease_s=1, switch=renewed) as at:
        caller = await at.arrives()
        await at.ticks()
        assert renewals(at) == []
        await real_time(0.34)
        await at.ticks()
        await at.ticks()
        assert renewals(at) == [[caller]]


async def test_after_a_restart_or_a_lost_connection_no_lease_is_renewed_before_channels_were_compared() -> None:
    """Who waited may talk by now, by the dialplan alone: a lease would cut that talk."""
    async with desk(lease_s=0, switch=renewed) as at:
        caller = await at.arrives()
        for loses in (at.calls.load, at.calls.leases.forget_all):
            renewals(at).clear()
            if (loaded := loses()) is not None:
                await loaded
            await at.ticks()
            assert renewals(at) == []
            await compares(at)
            await at.ticks()
            assert renewals(at) == [[caller]]


async def test_no_lease_is_renewed_while_the_database_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.call.RENEW_WITHIN_S", 0.05)
    async with desk(store=HeldStore, lease_s=0, switch=renewed) as at:
        assert isinstance(at.store, HeldStore)
        await at.arrives()
        at.store.may_save.clear()
        at.calls.mailbox.tick()
        await real_time(0.1)
        at.store.may_save.set()
        await at.settles()
        assert renewals(at) == []
        await at.ticks()
        assert len(renewals(at)) == 1
