"""The alarm flow under random events: whatever is told, in whatever order, some things are never so."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine import codec
from engine.flows import alarm
from engine.flows.alarm_state import OPEN, State
from engine.flows.flow import Step
from engine.vocabulary.commands import (
    AskAlarm,
    DialAlarm,
    Finish,
    HangUp,
    Hold,
    Play,
    Render,
    SetTimer,
    WriteAlarm,
    WriteAttempt,
    WriteRecipient,
)
from engine.vocabulary.events import (
    Acknowledged,
    AcknowledgeOrdered,
    Answered,
    CalledBack,
    CancelOrdered,
    Declined,
    DialDelayed,
    DialGranted,
    DialRefused,
    Event,
    HungUp,
    MachineHeard,
    NoKey,
    OrderExpired,
    PhonesTaken,
    PinWrong,
    Played,
    Reconciled,
    Rendered,
    TimerFired,
)
from engine.vocabulary.values import AlarmState, Disposition, LiveLeg, RecipientState, Wave
from tests.alarm_playbook import PLAN, at, number, person

PEOPLE = 4
CAUSES = st.sampled_from([(16, 0), (17, 486), (21, 603), (21, 403), (19, 480), (19, 0), (26, 0), (127, 0), (34, 503),
                          (44, 0), (38, 0)])
PLACES = st.sampled_from(["", "rw-alarm", "rw-play", "rw-hold", "rw-claim"])
OF_A_LEG = st.sampled_from([Answered, Acknowledged, Declined, NoKey, MachineHeard, PinWrong, Played, DialRefused,
                            OrderExpired])
PLANS = st.builds(
    lambda **chosen: replace(PLAN, **chosen), needed=st.integers(1, PEOPLE + 1),
    by_role=st.sampled_from([(), (("driver", 1),)]), strategy=st.sampled_from(["parallel", "sequential", "waves"]),
    waves=st.sampled_from([(Wave(0, (1,)), Wave(60, ())), (Wave(5, (1,)), Wave(60, (2,))), (Wave(0, ()),)]),
    rounds=st.integers(1, 3), retry_on=st.sampled_from([(), ("busy",), PLAN.retry_on]),
    pin=st.sampled_from(["", "4711"]), pause_s=st.sampled_from([0.0, 60.0]),
    closing=st.sampled_from([(), PLAN.closing]),
    message=st.sampled_from([PLAN.message, (("de", "Brand, {name}."),)]))


class AnyAlarm(RuleBasedStateMachine):
    """Tells the flow events about legs of its own, legs that are gone, and strangers."""

    state: State | None = None

    @initialize(plan=PLANS, phones=st.lists(st.integers(0, 3), min_size=1, max_size=PEOPLE))
    def begins(self, plan: object, phones: list[int]) -> None:
        self.seconds = 0.0
        self.legs: dict[str, int] = {}  # every leg ever, and whose it is
        self.ended: set[str] = set()
        self.cancelled: set[str] = set()
        self.finals: Counter[str] = Counter()
        self.final: dict[int, RecipientState] = {}
        self.decided: list[AlarmState] = []
        self.renders: list[str] = []
        self.timers: list[str] = []
        self.finishes = 0
        roles, groups = ("driver", ""), ((1,), (2,), ())
        people = tuple(person(one, count, role=roles[one % 2], groups=groups[one % 3])
                       for one, count in enumerate(phones, start=1))
        self.take(alarm.start(plan, people, at(0)), None)  # type: ignore[arg-type]
        assert not self.finishes, "a start never finishes"

    def take(self, step: Step[State], event: Event | None) -> None:
        before, self.state = self.state, step.state
        if event is not None and not step.commands:
            assert step.state is before or step.state != before, "an event that changed nothing gave a new object"
        for command in step.commands:
            assert not self.finishes, f"{command} after Finish"
            match command:
                case DialAlarm(leg, dialled):
                    assert not self.decided, "rung after the alarm was decided"
                    whose = next(one for one in self.state.recipients if dialled in one.person.phones)
                    assert self.final.get(whose.person.recipient_id) is None
                    assert not [other for other in whose.live if other.leg != leg], "a second live leg"
                    self.legs[leg] = whose.person.recipient_id
                case AskAlarm(leg) | Play(leg) | Hold(leg):
                    assert leg not in self.ended, f"{command} to a leg that is gone"
                case HangUp(leg):
                    assert leg not in self.ended
                    self.cancelled.add(leg)
                case WriteAttempt():
                    self.attempt(command)
                case WriteRecipient(which, state):
                    assert self.final.get(which) is not RecipientState.ACKNOWLEDGED or state is self.final[which]
                    if state in (RecipientState.ACKNOWLEDGED, RecipientState.DECLINED):
                        self.final[which] = state
                case WriteAlarm(_, state):
                    if state is not AlarmState.RINGING:
                        self.decided.append(state)
                case Render(key):
                    self.renders.append(key)
                case SetTimer(name):
                    self.timers.append(name)
                case Finish():
                    self.finishes += 1

    def attempt(self, row: WriteAttempt) -> None:
        self.legs.setdefault(row.leg, row.recipient_id)
        assert self.legs[row.leg] == row.recipient_id
        if row.ended_at is None:
            assert row.leg not in self.ended
            return
        assert row.disposition is not None
        self.ended.add(row.leg)
        keys = (Disposition.ACKNOWLEDGED, Disposition.DECLINED)  # of which a note was found after the leg had ended
        is_corrected = self.finals[row.leg] and row.disposition in keys
        self.finals[row.leg] += 0 if is_corrected else 1

    def tell(self, event: Event) -> None:
        assert self.state is not None
        self.take(alarm.step(self.state, event), event)

    def now(self, seconds: float = 0.0):  # type: ignore[no-untyped-def]
        self.seconds += seconds
        return at(self.seconds)

    def any_leg(self, which: int) -> str:
        live = [leg for leg in self.legs if leg not in self.ended]
        every = [*self.legs, "stranger"]
        return live[which % len(live)] if live and which % 4 else every[which % len(every)]

    # --- events ---------------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 9), trunk=st.sampled_from(["a", "b"]), others=st.integers(0, 1), refused=st.booleans())
    def granted(self, which: int, trunk: str, others: int, refused: bool) -> None:
        assert self.state is not None
        wants = alarm.wants(self.state)
        if wants:
            wanted = wants.numbers[which % len(wants.numbers)]
            leg = f"leg-{len(self.legs)}"
            self.tell(DialGranted(self.now(0.1), leg, wanted.number, trunk, refused, others))

    @rule(who=st.integers(1, PEOPLE), phone=st.integers(0, 2))
    def granted_what_nobody_wants(self, who: int, phone: int) -> None:
        assert self.state is not None
        wants = alarm.wants(self.state)
        wanted = {one.number for one in wants.numbers} if wants else set()
        later = [one.next.number for one in self.state.recipients if one.next and one.next.number not in wanted]
        for strange in {number(who, phone), *later} - wanted:
            before = self.state
            self.tell(DialGranted(self.now(), f"leg-{len(self.legs)}", strange, "a"))
            assert self.state is before

    @rule(kind=OF_A_LEG, which=st.integers(0, 40), seconds=st.sampled_from([0.0, 0.5, 20.0]))
    def heard_of_a_leg(self, kind: type, which: int, seconds: float) -> None:
        self.tell(kind(self.now(seconds), self.any_leg(which)))

    @rule(which=st.integers(0, 40))
    def answers_and_presses_the_key(self, which: int) -> None:
        leg = self.any_leg(which)
        self.tell(Answered(self.now(2), leg))
        self.tell(Acknowledged(self.now(5), leg))

    @rule(which=st.integers(0, 40), cause=CAUSES, seconds=st.sampled_from([0.0, 5.0]))
    def hung_up(self, which: int, cause: tuple[int, int], seconds: float) -> None:
        self.tell(HungUp(self.now(seconds), self.any_leg(which), *cause))

    @rule(who=st.integers(1, PEOPLE + 1), phone=st.integers(0, 2), again=st.booleans())
    def calls_back(self, who: int, phone: int, again: bool) -> None:
        leg = f"in-{len(self.legs)}"
        event = CalledBack(self.now(1), leg, "PJSIP/t-1", number(who, phone))
        self.tell(event)
        if again and leg in self.legs:
            before = self.state
            self.tell(event)
            assert self.state is before

    @rule(who=st.integers(1, PEOPLE))
    def operator(self, who: int) -> None:
        self.tell(AcknowledgeOrdered(self.now(), who, "Anna"))

    @precondition(lambda self: self.seconds > 60)
    @rule()
    def cancelled_by_people(self) -> None:
        self.tell(CancelOrdered(self.now(), "Anna"))

    @rule(which=st.integers(0, 9), sound=st.sampled_from(["s/x", "s/x", ""]))
    def rendered(self, which: int, sound: str) -> None:
        if self.renders:
            self.tell(Rendered(self.now(0.1), self.renders[which % len(self.renders)], sound))

    @rule(which=st.integers(0, 9))
    def delayed(self, which: int) -> None:
        assert self.state is not None
        wants = alarm.wants(self.state)
        wanted = wants.numbers[which % len(wants.numbers)].number if wants else "4977"
        self.tell(DialDelayed(self.now(), wanted, at(self.seconds + 300)))

    @rule(which=st.integers(0, 30), seconds=st.sampled_from([1.0, 60.0]))
    def a_timer(self, which: int, seconds: float) -> None:
        name = self.timers[which % len(self.timers)]
        if name != "expire" or self.seconds > 600:
            self.tell(TimerFired(self.now(seconds), name))

    @rule()
    def taken_elsewhere(self) -> None:
        self.tell(PhonesTaken(self.now()))

    @rule(here=st.lists(st.tuples(st.integers(0, 20), PLACES), max_size=6), seconds=st.sampled_from([0.0, 3.0]))
    def compared(self, here: list[tuple[int, str]], seconds: float) -> None:
        live = {}
        for which, place in here:
            leg = self.any_leg(which)
            if leg not in self.ended:
                live[leg] = LiveLeg(leg, f"PJSIP/{leg}", place, place != "", "", leg, 5.0)
        self.tell(Reconciled(self.now(seconds), live))

    @rule()
    def stored_and_loaded(self) -> None:
        assert self.state is not None
        again = codec.load_state(alarm.NAME, alarm.VERSION, codec.dump_head(self.state),
                                 codec.dump_parts(self.state, codec.NO_PARTS))
        assert again == self.state
        self.state = again

    # --- what is always so ----------------------------------------------------------------------------------------

    @invariant()
    def nobody_has_two_live_legs(self) -> None:
        for one in self.state.recipients if self.state else ():
            assert sum(1 for attempt in one.live if not attempt.is_cancelled) <= 1
            assert one.next is None or (not one.live and one.state in OPEN)
            assert all(attempt.leg in self.cancelled for attempt in one.live if attempt.is_cancelled)

    @invariant()
    def what_is_wanted_is_wanted_of_people_who_may_be_rung(self) -> None:
        wants = alarm.wants(self.state) if self.state else None
        if wants:
            assert not self.decided and len({one.number for one in wants.numbers}) == len(wants.numbers)
            open_numbers = {phone for one in self.state.recipients if one.state in OPEN  # type: ignore[union-attr]
                            for phone in one.person.phones}
            assert {one.number for one in wants.numbers} <= open_numbers

    @invariant()
    def an_alarm_is_decided_once_and_a_leg_ends_once(self) -> None:
        if self.state:
            assert len(self.decided) <= 1
            assert set(self.finals.values()) <= {1}
            assert (self.state.phase in ("closing", "over")) is bool(self.decided)
            assert bool(self.finishes) is (self.state.phase == "over")

    def teardown(self) -> None:
        """When all legs are gone and time goes by, every alarm comes to its end."""
        if self.state is None:
            return
        for key in list(self.renders):
            self.tell(Rendered(self.now(), key, "s/x"))
        for _ in range(200):
            if self.finishes:
                break
            wants = alarm.wants(self.state)
            for one in wants.numbers if wants else ():
                self.tell(DialGranted(self.now(1), f"leg-{len(self.legs)}", one.number, "z"))
            for leg in [leg for leg in self.legs if leg not in self.ended]:
                self.tell(HungUp(self.now(1), leg, 19, 480))
            names, self.timers = [name for name in self.timers if name != "expire"], ["expire"]
            for name in names:
                self.tell(TimerFired(self.now(301), name))
        else:
            pytest.fail(f"never over: {self.state.phase}")
        assert self.ended == set(self.legs), "a leg without its last row"
        assert all(one.state not in OPEN or self.finishes for one in self.state.recipients)


AnyAlarm.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestAnyAlarm = AnyAlarm.TestCase
