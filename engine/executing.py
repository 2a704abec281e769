"""What is durable is carried out: orders to the switch, timers, speech. Used by `engine/call.py` and `reconcile.py`.

Orders that were committed while the switch was away are kept for whoever compares (`take_unsent`), and so is which legs
were dialled just now: their channels are still to come (`dialled_since`).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog

from engine.figures import Figures
from engine.mailbox import ForCall, Mailbox
from engine.ports import Switch, SwitchLost
from engine.round import Round
from engine.vocabulary.commands import Dial, DialAlarm, DialProgram, Render, SetTimer, SwitchCommand
from engine.vocabulary.events import TimerFired
from engine.vocabulary.values import RingwardError

log = structlog.get_logger()


class Executing:
    def __init__(self, switch: Switch, mailbox: Mailbox, figures: Figures) -> None:
        self._switch = switch
        self._mailbox = mailbox
        self._figures = figures
        self._unsent: dict[str, list[SwitchCommand]] = {}
        self._dialled: dict[str, datetime] = {}
        self.call_later: Callable[[float, Callable[[], None]], object] = _call_later
        # (call, organisation, order): who speaks answers with Rendered
        self.on_render: Callable[[str, int, Render], None] = lambda *_: None

    def carry_out(self, work: Round) -> bool:
        """False: the switch is away."""
        for call_id, timer in work.timers:
            self.set_timer(call_id, timer)
        for call_id, render in work.renders:
            call = work.dirty[call_id]
            self.on_render(call_id, call.flow.owner(call.state).organisation_id, render)
        unsent = dict(work.orders)
        try:
            for call_id, orders in work.orders.items():
                self._send(call_id, orders)
                del unsent[call_id]
                self._figures.sent(work.dirty[call_id], orders, self._switch.now())
        except SwitchLost:
            log.info("calls.switch_lost", orders=len(unsent))
            for call_id, orders in unsent.items():
                self._unsent.setdefault(call_id, []).extend(orders)
            return False
        return True

    def set_timer(self, call_id: str, timer: SetTimer) -> None:
        self.call_later(timer.after_s, partial(self._fire, call_id, timer.name))

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        try:
            if legs:
                self._switch.renew(legs, lease_s)
        except SwitchLost:
            log.info("calls.switch_lost", leases=len(legs))

    def take_unsent(self) -> Mapping[str, Sequence[SwitchCommand]]:
        unsent, self._unsent = self._unsent, {}
        return unsent

    def send(self, orders: Sequence[SwitchCommand]) -> None:
        """Raises SwitchLost."""
        self._switch.send(orders)
        now = self._switch.now()
        self._dialled.update((order.leg, now) for order in orders if isinstance(order, Dial | DialAlarm | DialProgram))

    def dialled_since(self, at: datetime) -> Collection[str]:
        """Legs, by when their order left: the commit before it may have taken long."""
        self._dialled = {leg: sent_at for leg, sent_at in self._dialled.items() if sent_at >= at}
        return self._dialled.keys()

    def send_committed(self, work: Round, outboxes: Mapping[str, Sequence[SwitchCommand]]) -> None:
        """The save that failed may have committed: then its orders stand in the outbox, word for word, and stepping the
        same items again brings none of them."""
        try:
            for call_id, orders in work.orders.items():
                if outboxes.get(call_id) == orders:
                    self._send(call_id, orders)
        except SwitchLost:
            log.info("calls.switch_lost", orders=len(work.orders))

    def _send(self, call_id: str, orders: Sequence[SwitchCommand]) -> None:
        """A call whose orders cannot be encoded harms nobody else."""
        try:
            self.send(orders)
        except SwitchLost:
            raise
        except RingwardError:
            log.exception("call.orders_refused", call_id=call_id)

    def _fire(self, call_id: str, name: str) -> None:
        self._mailbox.post(ForCall(call_id, TimerFired(self._switch.now(), name)))


def _call_later(after_s: float, act: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(after_s, act)
