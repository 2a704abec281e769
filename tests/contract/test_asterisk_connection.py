"""The AMI connection's guards, on a real Asterisk behind a relay that can be cut, stopped and slowed."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog.testing

from engine.ports import Connected, Disconnected, SwitchLost
from engine.runtime.asterisk import Asterisk
from engine.switch.asterisk import connection as ami
from engine.switch.asterisk.connection import ActionFailed, AmiConnection
from engine.switch.asterisk.switch import AsteriskSwitch
from engine.vocabulary.commands import Dial, HangUp
from engine.vocabulary.events import DialRefused
from tests.contract.ami_proxy import AmiProxy, Meddling
from tests.contract.sip_peer import Behaviour, SipPeer
from tests.contract.switch_worlds import Heard

PING = [("Action", "Ping")]


@pytest.fixture
async def proxy(asterisk: Asterisk) -> AsyncIterator[AmiProxy]:
    async with AmiProxy.open(asterisk.ami_port) as relay:
        yield relay


class Told(Heard):
    async def next(self, kind: type[Any], within_s: float = 8) -> Any:
        async with self.came, asyncio.timeout(within_s):
            while (found := self.take(kind, "")) is None:
                await self.came.wait()
        return found


@contextlib.asynccontextmanager
async def a_switch(asterisk: Asterisk, port: int, secret: str = "") -> AsyncIterator[tuple[AsteriskSwitch, Told]]:
    user, secret = asterisk.settings.ami_user, secret or asterisk.ami_secret
    switch = AsteriskSwitch("127.0.0.1", port, user, secret, {"trunk": asterisk.trunk},
                            asterisk.settings.acks, asterisk.settings.recordings)
    told = Told()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(switch.run()), tasks.create_task(told.listen(switch))]
        try:
            yield switch, told
        finally:
            for task in running:
                task.cancel()


@contextlib.asynccontextmanager
async def a_connection(
    asterisk: Asterisk, port: int, on_message: Callable[[Any], None]
) -> AsyncIterator[AmiConnection]:
    up = asyncio.Event()

    async def on_up() -> None:
        up.set()

    link = AmiConnection("127.0.0.1", port, asterisk.settings.ami_user, asterisk.ami_secret, on_message, on_up,
                         lambda _: None)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(link.run())
        try:
            async with asyncio.timeout(5):
                await up.wait()
            yield link
        finally:
            task.cancel()


async def test_a_cut_connection_is_back_within_a_moment(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        cut = time.monotonic()
        proxy.cut()
        await told.next(Disconnected)
        assert not (await told.next(Connected)).is_fresh
        assert time.monotonic() - cut < 1
        assert switch.figures.reconnects == 1
        assert isinstance(await switch.live(), dict)


async def test_nothing_is_sent_while_the_connection_is_down(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_switch(asterisk, 1) as (switch, told):
        assert isinstance(await told.next(Disconnected), Disconnected)
        with pytest.raises(SwitchLost):
            switch.send([HangUp(str(uuid.uuid4()), 16)])
        with pytest.raises(SwitchLost):
            await switch.live()
        switch.renew([str(uuid.uuid4())], 10)
        assert len(told.all) == 1      # told once, however often it tries


async def test_every_wait_ends_when_the_connection_is_lost(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        proxy.stop()
        async with asyncio.TaskGroup() as tasks:
            waits = [tasks.create_task(lost(switch.live())), tasks.create_task(lost(switch.fallback_rows()))]
            await asyncio.sleep(0)
            proxy.cut()
        assert [wait.result() for wait in waits] == [True, True]


async def lost(wait: Any) -> bool:
    with pytest.raises(SwitchLost):
        async with asyncio.timeout(2):
            await wait
    return True


def twice(message: bytes) -> list[tuple[float, bytes]]:
    return [(0, message)] * (2 if message.startswith(b"Response:") else 1)


def late(message: bytes) -> list[tuple[float, bytes]]:
    """The answer after what it announces."""
    return [(0.2 if message.startswith(b"Response:") else 0, message)]


@pytest.mark.parametrize("meddling", [twice, late])
async def test_a_list_is_whole_however_its_answer_comes(
    asterisk: Asterisk, proxy: AmiProxy, meddling: Meddling
) -> None:
    """A snapshot without a leg that lives would be the leg's end: who answered would be called again."""
    async with ringing(asterisk, proxy, legs=3) as (switch, legs):
        proxy.meddle = meddling
        for _ in range(3):
            assert legs <= (await switch.live()).keys()
        assert not switch._connection.pending


async def test_a_list_without_its_answer_is_no_list(
    asterisk: Asterisk, proxy: AmiProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami, "ANSWER_WITHIN_S", 0.5)
    async with ringing(asterisk, proxy, legs=2) as (switch, legs):
        proxy.meddle = lambda message: [] if message.startswith(b"Response:") else [(0, message)]
        with pytest.raises(ActionFailed):
            await switch.live()
        proxy.meddle = None
        assert legs <= (await switch.live()).keys()


@contextlib.asynccontextmanager
async def ringing(
    asterisk: Asterisk, proxy: AmiProxy, legs: int
) -> AsyncIterator[tuple[AsteriskSwitch, set[str]]]:
    async with SipPeer.open(int(asterisk.trunk.rpartition(":")[2])) as peer:
        peer.behaviour |= {f"491770010{n}": Behaviour() for n in range(legs)}
        async with a_switch(asterisk, proxy.port) as (switch, told):
            await told.next(Connected)
            made = [str(uuid.uuid4()) for _ in range(legs)]
            switch.send([Dial(leg, f"491770010{n}", "4930", 20, "cache/contract", "cache/contract", 1, "")
                         for n, leg in enumerate(made)])
            for n in range(legs):
                await peer.rung(f"491770010{n}")
            try:
                yield switch, set(made)
            finally:
                switch.send([HangUp(leg, 16) for leg in made])
                await asyncio.sleep(0.1)

async def test_a_dial_that_was_lost_with_the_connection_is_never_sent_again(
    asterisk: Asterisk, proxy: AmiProxy
) -> None:
    async with SipPeer.open(int(asterisk.trunk.rpartition(":")[2])) as peer:
        peer.behaviour["4917700001"] = Behaviour()
        async with a_switch(asterisk, proxy.port) as (switch, told):
            await told.next(Connected)
            proxy.stop()
            leg = str(uuid.uuid4())
            switch.send([Dial(leg, "4917700001", "4930", 20, "cache/contract", "cache/contract", 1, "")])
            await asyncio.sleep(0.02)
            proxy.cut()
            proxy.go_on()
            await told.next(Connected)
            assert leg not in await switch.live()
            await switch.fallback_rows()
            assert peer.calls_to("4917700001") == []


async def test_a_link_that_is_up_on_one_side_only_is_found_and_replaced(
    asterisk: Asterisk, proxy: AmiProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami, "PING_EVERY_S", 0.2)
    monkeypatch.setattr(ami, "PONG_WITHIN_S", 0.5)
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        stopped = time.monotonic()
        proxy.stop()
        assert "silent" in (await told.next(Disconnected, 3)).reason
        assert time.monotonic() - stopped < 1.5
        proxy.go_on()
        await told.next(Connected)
        assert switch.figures.lag_s > 0


async def test_an_engine_that_was_stopped_itself_does_not_blame_the_link(
    asterisk: Asterisk, proxy: AmiProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(ami, "PONG_WITHIN_S", 0.2)
    async with a_switch(asterisk, asterisk.ami_port) as (switch, told):
        await told.next(Connected)
        for _ in range(6):
            sent = switch.figures.messages_out
            async with asyncio.timeout(2):
                while switch.figures.messages_out == sent:  # noqa: ASYNC110 -- until the next ping was just written
                    await asyncio.sleep(0)
            time.sleep(0.4)  # noqa: ASYNC251 -- the whole process stands still
            await switch.live()
        assert switch.figures.reconnects == 0


async def test_a_restarted_asterisk_is_told_as_fresh(start_asterisk: Callable[..., Asterisk]) -> None:
    asterisk = start_asterisk()
    async with a_switch(asterisk, asterisk.ami_port) as (_, told):
        assert (await told.next(Connected)).is_fresh
        asterisk.kill()
        await told.next(Disconnected)
        asterisk.restart()
        assert (await told.next(Connected, 15)).is_fresh
    async with a_switch(asterisk, asterisk.ami_port) as (_, told):      # a new engine, the same Asterisk
        assert not (await told.next(Connected)).is_fresh


async def test_a_wrong_secret_is_said_clearly_and_tried_again_slowly(asterisk: Asterisk, proxy: AmiProxy) -> None:
    with structlog.testing.capture_logs() as logs:
        async with a_switch(asterisk, proxy.port, secret="wrong") as (_, told):
            assert "refuses" in (await told.next(Disconnected)).reason
            await asyncio.sleep(1)
    assert proxy.connections == 1
    refused = [line for line in logs if line["event"] == "ami.refused"]
    assert refused and "secret" in refused[0]["hint"]
    assert "wrong" not in str(refused[0]["user"])


async def test_characters_split_over_segments_arrive_whole(asterisk: Asterisk, proxy: AmiProxy) -> None:
    proxy.step = 1
    heard: list[Any] = []
    async with a_connection(asterisk, proxy.port, heard.append) as link:
        await link.ask([("Action", "Setvar"), ("Variable", "RW_TEST"), ("Value", "Jorg")])
        link.write("Action: Setvar\r\nActionID: u1\r\nVariable: RW_TEST\r\nValue: Jörg Šćepanović ☎\r\n\r\n".encode())
        (answer,) = await link.ask([("Action", "Getvar"), ("Variable", "RW_TEST")])
    assert answer["value"] == "Jörg Šćepanović ☎"


async def test_a_callback_that_raises_costs_its_message_only(asterisk: Asterisk, proxy: AmiProxy) -> None:
    def on_message(_: Any) -> None:
        raise ValueError("bad")

    with structlog.testing.capture_logs() as logs:
        async with a_connection(asterisk, proxy.port, on_message) as link:
            link.write(b"Action: Ping\r\nActionID: nobody\r\n\r\n")
            await link.ask(PING)
            assert link.is_up
    assert any(line["event"] == "ami.bad_message" for line in logs)
    assert proxy.connections == 1


async def test_orders_of_one_turn_go_out_in_one_write_and_leave_nothing_behind(
    asterisk: Asterisk, proxy: AmiProxy
) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        proxy.written.clear()
        before = switch.figures.messages_out
        legs = [str(uuid.uuid4()) for _ in range(50)]
        for leg in legs:
            switch.send([HangUp(leg, 16)])
        switch.renew([str(uuid.uuid4()) for _ in range(50)], 10)
        await switch.live()
        assert proxy.written[0].count(b"Action: Hangup\r\n") == 50
        assert proxy.written[0].count(b"Action: Ping\r\n") == 1
        await switch.live()      # the answer has come
        await switch.live()      # and so have the renewals
        assert any(text.count(b"Action: AbsoluteTimeout\r\n") == 50 for text in proxy.written)
        assert switch.figures.messages_out - before == 104
        assert switch._connection.pending == 0


async def test_dials_go_out_before_what_was_ordered_with_them(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        await switch.live()
        proxy.written.clear()
        here, there = str(uuid.uuid4()), str(uuid.uuid4())
        dial = Dial(there, "4917700099", "4930", 20, "cache/contract", "cache/contract", 1, "")
        switch.send([HangUp(here, 16), dial])
        await switch.live()
        written = b"".join(proxy.written)
        assert written.index(there.encode()) < written.index(here.encode())


async def test_an_answer_that_does_not_come_is_no_endless_wait(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_connection(asterisk, proxy.port, lambda _: None) as link:
        proxy.stop()
        with pytest.raises(ActionFailed):
            await link.ask(PING, timeout_s=0.1)
        assert link.pending == 0
        proxy.go_on()
        await link.ask(PING)


async def test_the_switches_clock_is_kept(asterisk: Asterisk, proxy: AmiProxy) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        (pong,) = await switch._connection.ask(PING)
        assert abs(switch.now().timestamp() - float(pong["timestamp"])) < 0.1


async def test_a_dial_that_never_had_a_channel_is_told_as_refused(asterisk: Asterisk, proxy: AmiProxy) -> None:
    """Asterisk says the same of it as of a refusing phone; only the hang-up is missing."""
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        leg = str(uuid.uuid4())
        text = (f"Action: Originate\r\nActionID: {leg}\r\nChannelId: {leg}\r\nChannel: PJSIP/nobody/sip:1@127.0.0.1\r\n"
                "Context: rw-ask\r\nExten: s\r\nPriority: 1\r\nAsync: true\r\n\r\n")
        switch._connection.write(text.encode())
        assert (await told.next(DialRefused, 3)).leg == leg


async def test_a_value_that_must_not_go_out_is_refused_as_a_dial_and_nothing_is_written(
    asterisk: Asterisk, proxy: AmiProxy
) -> None:
    async with a_switch(asterisk, proxy.port) as (switch, told):
        await told.next(Connected)
        proxy.written.clear()
        leg = str(uuid.uuid4())
        switch.send([HangUp(leg, 16), Dial(leg, "4930,1", "4930", 20, "x", "y", 1, "")])
        assert (await told.next(DialRefused)).leg == leg
        await switch.live()
        assert all(b"Hangup" not in text and b"Originate" not in text for text in proxy.written)
