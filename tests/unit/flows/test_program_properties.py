"""The flow of a program's call against its promises, whatever happens in whatever order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flows import program
from engine.flows.flow import Step
from engine.flows.program_state import State
from engine.vocabulary.commands import (
    Bridge,
    Command,
    DialProgram,
    Finish,
    HangUp,
    Hold,
    Play,
    Render,
    RunStep,
    Transfer,
    WriteSpool,
    WriteTransmission,
)
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialGranted,
    DialRefused,
    Event,
    HungUp,
    Joined,
    Played,
    Reconciled,
    Rendered,
    StepDone,
    TimerFired,
    Withdrawn,
)
from engine.vocabulary.program import ProgramPlan, ProgramStep, TransmissionStatus
from engine.vocabulary.values import LiveLeg
from tests.program_playbook import BYE, CHANNEL, PEER, a_plan, at, menu, say, stored, to

PLANS = [
    a_plan(say()),
    a_plan(say(), campaign_id=None, tries_left=0, opt_out_key="9"),
    a_plan(ProgramStep("transfer", to=PEER, links=(("error", 1),)), say(links=to(0))),
    a_plan(ProgramStep("transfer", to=PEER)),
    a_plan(ProgramStep("amd", links=(("human", 1), ("machine", 2))), say(links=to(3)), BYE, menu(links=to(1))),
    a_plan(menu(links=(("1", 1), ("2", 2), ("timeout", 3))), ProgramStep("hotline", to=PEER),
           ProgramStep("input", "x", text="?", digits=2, links=to(4)), ProgramStep("dnc", links=to(0)),
           say("[result:x]", links=(("error", 5), ("", 0))),
           ProgramStep("record", text="?", seconds=9, links=to(0)), opt_out_key="0"),
]
# of the last legs that were dialled; others are gone, or were never there
LEGS = st.sampled_from([0, 1, 2])
WORDS = st.one_of(
    st.sampled_from(["grant", "withdraw", "stale", "peer", "begin", "join", "rendered", "unspoken", "played"]),
    st.tuples(st.sampled_from(["answer", "refuse", "vanish", "hang up", "fail", "busy"]), LEGS),
    st.tuples(st.sampled_from(["done", "late", "done 1", "done 0", "done 9", "done machine", "done human"]), LEGS),
    st.tuples(st.just("compare"), st.sampled_from(["", "0", "1", "01", "talk"])),
    st.tuples(st.just("pass"), st.sampled_from([0.1, 2, 40, 70])),
)


# how far it may have come before
STORY: list[str | tuple[str, object]] = ["grant", ("answer", 0), ("done", 0), "grant", ("answer", 0), "join"]
DAYS = st.tuples(st.integers(0, len(STORY)), st.lists(WORDS, max_size=30)).map(lambda it: [*STORY[:it[0]], *it[1]])


@dataclass
class World:
    """Which legs live, by what the flow was told and has ordered."""

    plan: ProgramPlan
    is_called: bool     # by somebody, instead of calling him
    state: State = field(init=False)
    all: list[Command] = field(default_factory=list)
    living: list[str] = field(default_factory=list)     # dialled and not known to be gone
    made: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.is_called:
            self.take(program.start(self.plan, at(0)))
            return
        self.made.append("leg0")
        self.living.append("leg0")
        self.take(program.start_inbound(
            replace(self.plan, campaign_id=None), CallArrived(at(0), "leg0", CHANNEL, "4930100", "49301"), at(1)))

    def leg(self, place: int) -> str:
        return self.made[-1 - place] if place < len(self.made) else f"stranger{place}"

    def plays(self, word: str | tuple[str, object]) -> None:
        kind, what = word if isinstance(word, tuple) else (word, None)
        if kind == "pass":
            self.seconds += float(str(what))
        elif (event := self.event(kind, what)) is not None:
            if isinstance(event, HungUp | DialRefused) and event.leg in self.living:
                self.living.remove(event.leg)
            if isinstance(event, Reconciled):   # what is older than a moment and not there is gone
                self.living = [leg for leg in self.living if leg in event.live or not self.is_settled]
            self.take(program.step(self.state, event))

    @property
    def is_settled(self) -> bool:
        return (at(self.seconds) - self.state.since).total_seconds() > 1

    def event(self, kind: str, what: object) -> Event | None:
        now = at(self.seconds)
        if kind == "grant":
            wants = program.wants(self.state)
            if wants is None:
                return DialGranted(now, f"leg{len(self.made)}", "4999", "t")
            self.made.append(f"leg{len(self.made)}")
            self.living.append(self.made[-1])
            return DialGranted(now, self.made[-1], wants.numbers[0].number, "t", others=1)
        if kind == "compare":
            pair = self.made[-2:]
            live = {leg: LiveLeg(leg, leg, "rw-step", True, "b" if what == "talk" else "", leg, 9.0)
                    for n, leg in enumerate(pair) if (what == "talk" or str(n) in str(what)) and leg in self.living}
            return Reconciled(now, live)
        plain: dict[str, Callable[[], Event]] = {
            "withdraw": lambda: Withdrawn(now, "paused"), "stale": lambda: TimerFired(now, "stale"),
            "peer": lambda: TimerFired(now, "peer"), "begin": lambda: TimerFired(now, "begin"),
            "join": lambda: Joined(now, self.leg(1), self.leg(0)),
            "rendered": lambda: Rendered(now, f"{self.state.place}.{self.state.steps}", "cache/x"),
            "unspoken": lambda: Rendered(now, f"{self.state.place}.{self.state.steps}", ""),
            "played": lambda: Played(now, self.leg(0)),
        }
        if kind in plain:
            return plain[kind]()
        leg = self.leg(int(str(what)))
        match kind.split():
            case ["answer"]:
                return Answered(now, leg)
            case ["refuse"]:
                return DialRefused(now, leg)
            case ["late"]:
                return StepDone(now, leg, self.state.prompt - 1)
            case ["done", *said]:
                digits, status = ("", said[0]) if said and said[0].isalpha() else ("".join(said), "")
                return StepDone(now, leg, self.state.prompt, digits, status)
            case _:
                return HungUp(now, leg, *{"fail": (38, 503), "busy": (17, 486)}.get(kind, (16, 0)))

    def take(self, step: Step[State]) -> None:
        self.state = stored(step.state)
        for one in step.commands:
            assert not isinstance(one, RunStep | Hold | Transfer | Play | HangUp) or one.leg in self.living, one
            assert not isinstance(one, Bridge) or {one.leg, one.peer} <= set(self.living), one
        self.all += step.commands
        self.holds()

    def holds(self) -> None:
        ends = [one for one in self.all if isinstance(one, Finish)]
        last = [one for one in self.all if isinstance(one, WriteTransmission)]
        assert len(ends) == len(last) == (self.state.phase == "over")
        assert {leg.leg for leg in program.legs(self.state)} <= set(self.living)
        own = [leg for leg in program.legs(self.state) if leg.number == self.plan.number]
        assert len(own) <= 1
        if self.state.phase == "over":
            assert program.wants(self.state) is None and not program.legs(self.state)
            assert not self.living or any(isinstance(one, Transfer) for one in self.all)
            assert [row for row in self.all if isinstance(row, WriteSpool)][-1].ended_at is not None
            if self.plan.tries_left == 0 and last[0].status is not TransmissionStatus.PENDING:
                assert last[0].again_s is None


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(PLANS), st.booleans(), DAYS)
def test_whatever_happens_the_flow_keeps_its_promises(
    plan: ProgramPlan, is_called: bool, words: list[str | tuple[str, object]]
) -> None:
    world = World(plan, is_called)
    for word in words:
        world.plays(word)
    rung = [one for one in world.all if isinstance(one, DialProgram) and one.number == plan.number]
    failed = sum(1 for word in words if word in [(kind, place) for kind in ("fail", "refuse") for place in (0, 1, 2)])
    assert len(rung) <= 1 + failed     # more than once only after trouble of a trunk


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(PLANS), st.booleans(), DAYS)
def test_whatever_happened_when_everything_is_gone_the_call_ends(
    plan: ProgramPlan, is_called: bool, words: list[str | tuple[str, object]]
) -> None:
    world = World(plan, is_called)
    for word in words:
        world.plays(word)
    for _ in range(3):
        world.plays(("pass", 5))
        world.plays(("compare", ""))
    assert world.state.phase in ("over", "waiting")
    asked = [one for one in world.all if isinstance(one, Render)]
    assert all("[result:" not in one.text for one in asked)
