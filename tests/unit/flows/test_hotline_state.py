"""The hotline flow under random events: whatever the switch tells, in whatever order, some things are never so."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine import codec
from engine.flows import hotline
from engine.flows.hotline_state import (
    AgentLeg,
    State,
    Step,
    demand,
    disposition,
    leased,
    legs_in_use,
    takes_inbound_channel,
)
from engine.vocabulary.commands import Dial, Finish, SetTimer, WriteRecord
from engine.vocabulary.events import (
    Answered,
    DialRefused,
    DigitsEntered,
    Event,
    FallbackExhausted,
    FallbackStarted,
    FallbackStepped,
    HungUp,
    Joined,
    LegGranted,
    OrderExpired,
    PhonesTaken,
    Played,
    Reconciled,
    TimerFired,
)
from engine.vocabulary.values import EntryType, LiveLeg, RecordStatus
from tests.playbook import CALLER, CHANNEL, RULES, Playbook, a_hotline, arrival, at, phone

CAUSES = st.sampled_from([(16, 0), (17, 486), (21, 603), (21, 403), (19, 480), (19, 0), (26, 0), (127, 0), (34, 503)])
PLACES = st.sampled_from(["rw-claim", "rw-play", "rw-hold", "rw-fall", "rw-ask", "rw-accepted", ""])
STEPS = st.sampled_from(["ring", "answered", "silent", "accepted", "leg", "apology", "joined"])


class AnyHotlineCall(RuleBasedStateMachine):
    """Tells the flow events about legs of its own, legs that are gone, and strangers."""

    state: State | None = None

    @initialize(
        phones=st.integers(0, 3), is_active=st.sampled_from([True, True, True, False]), full=st.booleans(),
        in_fallback=st.sampled_from([False, False, True]))
    def begins(self, phones: int, is_active: bool, full: bool, in_fallback: bool) -> None:
        self.seconds = 0.0
        self.legs: list[str] = []  # every leg ever dialled
        self.ended: set[str] = set()  # legs whose hang-up was told
        self.records: Counter[str] = Counter()
        self.finishes = 0
        self.bridged: set[str] = set()
        self.rows = 0
        made = a_hotline(phones, is_active=is_active)
        if in_fallback:
            started = FallbackStarted(at(0), CALLER, CHANNEL, "4930555", "")
            self.take(hotline.start_in_fallback(started, made, RULES))
        else:
            self.take(hotline.start(arrival(), made, RULES, 10 if full else 0))

    def take(self, step: Step) -> None:
        self.state = step.state
        for command in step.commands:
            assert not self.finishes, f"{command} after Finish"
            match command:
                case Dial():
                    self.legs.append(command.leg)
                case WriteRecord():
                    self.records[command.leg] += 1
                case Finish():
                    self.finishes += 1
                case SetTimer():
                    assert command.after_s >= 0
                case _:
                    pass
        numbers = [leg.phone.number for leg in step.state.legs]
        assert len(numbers) == len(set(numbers)), "a phone has two legs"

    def tell(self, event: Event) -> None:
        """The engine forgets a call that finished."""
        assert self.state is not None
        if not self.finishes:
            self.take(hotline.step(self.state, event))
        self.seconds += 0.5

    def now(self):  # type: ignore[no-untyped-def]
        return at(self.seconds)

    def any_leg(self, number: int) -> str:
        known = [*self.legs, CALLER, "stranger"]
        return known[number % len(known)]

    @rule(number=st.integers(0, 9), wild=st.sampled_from([False, False, False, True]))
    def granted(self, number: int, wild: bool) -> None:
        assert self.state is not None
        wanted = [phone(number % 4 + 1)] if wild else demand(self.state)
        if wanted:
            self.tell(LegGranted(self.now(), f"leg-{len(self.legs) + 1}", wanted[number % len(wanted)]))

    @rule()
    def all_phones_taken(self) -> None:
        self.tell(PhonesTaken(self.now()))

    @rule(number=st.integers(0, 9))
    def answered(self, number: int) -> None:
        self.tell(Answered(self.now(), self.any_leg(number)))

    @rule(number=st.integers(0, 9), digits=st.sampled_from(["1", "1", "", "5"]))
    def entered(self, number: int, digits: str) -> None:
        self.tell(DigitsEntered(self.now(), self.any_leg(number), digits))

    @rule(number=st.integers(0, 9), how=CAUSES)
    def hung_up(self, number: int, how: tuple[int, int]) -> None:
        leg = self.any_leg(number)
        self.ended.add(leg)
        self.tell(HungUp(self.now(), leg, *how))

    @rule(number=st.integers(0, 9))
    def refused(self, number: int) -> None:
        leg = self.any_leg(number)
        if leg != CALLER:
            self.ended.add(leg)
            self.tell(DialRefused(self.now(), leg))

    @rule(number=st.integers(0, 9))
    def played(self, number: int) -> None:
        self.tell(Played(self.now(), self.any_leg(number)))

    @rule(number=st.integers(0, 9), turned=st.booleans())
    def joined(self, number: int, turned: bool) -> None:
        pair = (self.any_leg(number), CALLER)
        self.tell(Joined(self.now(), *(reversed(pair) if turned else pair)))

    @rule()
    def round_begins(self) -> None:
        self.tell(TimerFired(self.now(), "round"))

    @rule()
    def fallback_started(self) -> None:
        self.tell(FallbackStarted(self.now(), CALLER, CHANNEL, "4930555", ""))

    @rule(step=STEPS, number=st.integers(1, 4), again=st.sampled_from([False, False, True]))
    def row(self, step: str, number: int, again: bool) -> None:
        self.rows += not again
        leg = self.any_leg(number) if step == "joined" else f"local-{number}"
        self.tell(FallbackStepped(
            self.now(), CALLER, step, phone(number).number, leg, "ANSWER", 16, f"fb/{self.rows:04}"))

    @rule()
    def exhausted(self) -> None:
        self.tell(FallbackExhausted(self.now(), CALLER))

    @rule()
    def came_too_late(self) -> None:
        self.tell(OrderExpired(self.now(), CALLER))

    @rule(data=st.data())
    def reconciled(self, data: st.DataObject) -> None:
        known = [leg for leg in (*self.legs, CALLER) if leg not in self.ended]
        live = {}
        for leg in known:
            if data.draw(st.booleans()):
                bridge = data.draw(st.sampled_from(["", "", "b1"]))
                live[leg] = LiveLeg(leg, CHANNEL, data.draw(PLACES), data.draw(st.booleans()), bridge, "", 5.0)
        self.ended |= set(known) - set(live) if self.seconds > 1 else set()
        self.tell(Reconciled(self.now(), live))

    @precondition(lambda self: self.state is not None)
    @rule()
    def stored_and_loaded(self) -> None:
        """An engine dies and another goes on."""
        assert self.state is not None
        self.state = codec.load_state("hotline", hotline.VERSION, codec.dump_head(self.state))

    @invariant()
    def what_is_never_so(self) -> None:
        state = self.state
        if state is None:
            return
        assert self.finishes <= 1
        assert max(self.records.values(), default=0) <= 1, "two records of a leg"
        assert sum(leg.stage == "winner" for leg in state.legs) <= 1 or state.phase != "talking", "two winners"
        assert not (state.winner and demand(state)), "phones ring for a caller who talks"
        assert not (state.joined_at and leased(state)), "a lease in a talk"
        assert all(tried.times <= RULES.rounds for tried in state.tried)
        if state.caller_gone:
            assert not takes_inbound_channel(state) and not demand(state) and not leased(state)

    def teardown(self) -> None:
        """When every hang-up is told, the flow ends, and every leg has its record."""
        if self.state is None:
            return
        for leg in [one.leg for one in self.state.legs]:
            self.tell(HungUp(self.now(), leg, 16, 0))
        self.tell(HungUp(self.now(), CALLER, 16, 0))
        if self.state.phase == "fallback":
            self.tell(FallbackStepped(self.now(), CALLER, "ended"))
        assert self.finishes == 1, f"never ends: {self.state}"
        assert set(self.legs) <= set(self.records), "a dialled leg without a record"
        assert self.records[CALLER] == 1
        assert max(self.records.values()) == 1


AnyHotlineCall.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
TestAnyHotlineCall = AnyHotlineCall.TestCase


# --- small questions about a state -------------------------------------------------------------------------------


@pytest.mark.parametrize(("leg", "cause", "sip", "status", "kind"), [
    (AgentLeg("a", phone(1), at(0), stage="winner"), 16, 0, RecordStatus.ANSWERED, EntryType.AGENT_HANGUP),
    (AgentLeg("a", phone(1), at(0), cancelled=True), 26, 487, RecordStatus.CANCELLED, EntryType.AGENT_CANCELLED),
    (AgentLeg("a", phone(1), at(0), stage="leaving", cancelled=True), 26, 0, RecordStatus.CANCELLED,
     EntryType.AGENT_CANCELLED),
    (AgentLeg("a", phone(1), at(0), stage="silent"), 16, 0, RecordStatus.NO_ANSWER, EntryType.AGENT_NO_ANSWER),
    (AgentLeg("a", phone(1), at(0), stage="asked"), 16, 0, RecordStatus.REJECTED, EntryType.AGENT_REJECTED),
    (AgentLeg("a", phone(1), at(0)), 127, 0, RecordStatus.NO_ANSWER, EntryType.AGENT_NO_ANSWER),
    (AgentLeg("a", phone(1), at(0)), 38, 0, RecordStatus.FAILED, EntryType.AGENT_FAILED),
])
def test_how_the_end_of_a_leg_reads(
    leg: AgentLeg, cause: int, sip: int, status: RecordStatus, kind: EntryType
) -> None:
    assert disposition(leg, cause, sip) == (status, kind)


def _in_use(book: Playbook) -> dict[str, str]:
    return {number: leg.leg for number, leg in legs_in_use(book.state).items()}


def test_a_call_uses_the_numbers_of_its_legs_and_no_others() -> None:
    book = Playbook.of().grants(1, 3)
    assert _in_use(book) == {phone(1).number: "leg-1", phone(3).number: "leg-3"}
    book.tells(HungUp(at(1), "leg-1", 17, 486))
    assert _in_use(book) == {phone(3).number: "leg-3"}


def test_an_inbound_channel_is_taken_while_the_caller_waits_talks_or_hears_the_apology() -> None:
    book = Playbook.of().grants(1)
    assert takes_inbound_channel(book.state)
    book.tells(Answered(at(1), "leg-1"), DigitsEntered(at(2), "leg-1", "1"))
    assert takes_inbound_channel(book.state)
    book.tells(HungUp(at(3), CALLER, 16, 0))
    assert not takes_inbound_channel(book.state)
