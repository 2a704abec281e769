"""Every flow is known by its state, and by what is stored of it."""

import pytest

from engine.flows import alarm, hotline, program
from engine.flows.alarm_state import State as AlarmState
from engine.flows.flow import changed, pieces
from engine.flows.hotline_state import State as HotlineState
from engine.flows.program_state import State as ProgramState
from engine.flows.registry import FLOWS, flow_of, state_type
from tests.alarm_playbook import Playbook as AlarmBook
from tests.playbook import CALLER, Playbook
from tests.program_playbook import Playbook as ProgramBook
from tests.program_playbook import say


def test_a_state_leads_to_its_flow_and_a_stored_name_to_the_state() -> None:
    assert flow_of(Playbook.of().state) is hotline and flow_of(AlarmBook.of().state) is alarm
    assert state_type("hotline", hotline.VERSION) is HotlineState and state_type("alarm", alarm.VERSION) is AlarmState
    assert flow_of(ProgramBook.of(say()).state) is program
    assert state_type("program", program.VERSION) is ProgramState
    assert state_type("alarm", 99) is None and state_type("campaign", 1) is None


@pytest.mark.parametrize("state", [Playbook.of().grants(1).state, AlarmBook.of(2).rings(1).state])
def test_a_flow_answers_what_the_loop_asks(state: object) -> None:
    flow = flow_of(state)
    assert flow.phase(state) and flow.owner(state).organisation_id == 1 and flow.wants(state) is not None
    legs = [leg for piece in pieces(flow, state) for leg in flow.legs(piece)]
    ringing = next(leg.leg for leg in legs if leg.number)
    at = AlarmBook.of().state.began_at
    assert flow.wants_to_ring(state, ringing, at) and not flow.wants_to_ring(state, CALLER, at)
    assert flow.failed(state, AlarmBook.of().state.began_at)
    assert isinstance(flow.leased(state), tuple)


def test_what_changed_is_known_by_identity() -> None:
    one, two, three = object(), object(), object()
    assert [*changed((one, two), (one, three))] == [1]
    assert [*changed((one,), (one, two, three))] == [1, 2]
    assert [*changed((), ())] == [] and len(FLOWS) == 3
