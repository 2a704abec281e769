"""What is durable is carried out: orders, timers, speech; and what was not sent is kept for whoever compares."""

import asyncio

from engine.executing import Executing
from engine.figures import Figures
from engine.flows.registry import flow_of
from engine.mailbox import ForCall, Mailbox
from engine.round import LiveCall, Round
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Command, HangUp, Render, SetTimer
from engine.vocabulary.events import TimerFired
from tests.alarm_playbook import T0, Playbook

ORDER, TIMER, RENDER = HangUp("leg-1", 16), SetTimer("wave", 0.01), Render("m:de", "de", "Brand")


def made(is_up: bool = True) -> tuple[Executing, MemorySwitch, Mailbox]:
    switch, mailbox = MemorySwitch(), Mailbox()
    if is_up:
        switch.restore()
    return Executing(switch, mailbox, Figures()), switch, mailbox


def work_of(*commands: Command) -> Round:
    work, state = Round(), Playbook.of().state
    work.take(LiveCall("call", flow_of(state), state, T0), commands)
    return work


async def test_orders_go_to_the_switch_timers_come_back_and_speech_is_asked_for() -> None:
    executing, switch, mailbox = made()
    asked: list[tuple[str, int, Render]] = []
    executing.on_render = lambda *order: asked.append(order)
    assert executing.carry_out(work_of(ORDER, TIMER, RENDER))
    assert switch.sent == [ORDER] and asked == [("call", 1, RENDER)]
    async with asyncio.timeout(5):
        assert await mailbox.take_all() == [ForCall("call", TimerFired(switch.now(), "wave"))]


async def test_what_was_not_sent_is_kept_and_given_once() -> None:
    executing, switch, _ = made(is_up=False)
    assert not executing.carry_out(work_of(ORDER))
    assert not executing.carry_out(work_of(HangUp("leg-2", 16)))
    assert executing.take_unsent() == {"call": [ORDER, HangUp("leg-2", 16)]}
    assert executing.take_unsent() == {} and switch.sent == []


async def test_only_what_stands_in_the_outbox_word_for_word_was_committed() -> None:
    executing, switch, _ = made()
    executing.send_committed(work_of(ORDER), {"call": [HangUp("leg-9", 16)]})
    assert switch.sent == []
    executing.send_committed(work_of(ORDER), {"call": [ORDER]})
    assert switch.sent == [ORDER]


async def test_leases_are_not_renewed_without_a_switch_and_that_harms_nobody() -> None:
    executing, _, _ = made(is_up=False)
    executing.renew(["leg-1"], 10)
