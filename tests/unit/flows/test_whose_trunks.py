"""Every flow says whose providers it dials by, and by which trunk each of its legs goes."""

from datetime import timedelta

from engine.flows import alarm, hotline, program_state
from engine.policy.routing import ALARM, CAMPAIGN
from engine.vocabulary.program import ProgramPlan, ProgramStep
from tests import alarm_playbook
from tests.playbook import T0, Playbook, a_hotline

PLAN = ProgramPlan(1, 1, None, 7, "49301", "49302", "de", "de", 25, (ProgramStep("transfer", to="49303"),), ("",))


def test_a_hotline_and_an_alarm_dial_by_their_organisations() -> None:
    book = Playbook.of(a_hotline(1))
    wanted = hotline.wants(book.state)
    assert wanted is not None and wanted.organisation_id == book.state.hotline.organisation_id > 0
    alarmed = alarm_playbook.Playbook.of(1).state
    asked = alarm.wants(alarmed)
    assert asked is not None and asked.organisation_id == alarmed.plan.organisation_id > 0


def test_a_program_dials_by_its_organisations_before_and_within_the_call() -> None:
    waiting = program_state.State("waiting", PLAN, T0)
    holding = program_state.State(
        "transferring", PLAN, T0 + timedelta(seconds=5), leg="a", trunk="p1", place=0, peer_stage="wanted")
    for state, rank, number in ((waiting, CAMPAIGN, "49301"), (holding, ALARM, "49303")):
        wanted = program_state.wants(state)
        assert wanted is not None and (wanted.rank, wanted.organisation_id) == (rank, 7)
        assert [one.number for one in wanted.numbers] == [number]


def test_each_leg_of_a_transfer_counts_at_its_own_trunk() -> None:
    state = program_state.State("transferring", PLAN, T0, leg="a", trunk="p1", place=0, peer="b", peer_trunk="trunk")
    assert [(leg.leg, leg.number, leg.trunk) for leg in program_state.legs(state)] == [
        ("a", "49301", "p1"), ("b", "49303", "trunk")]
