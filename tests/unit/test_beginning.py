"""How a call begins, and what is written of one that a defect kept from beginning."""

import pytest

from engine.beginning import never_began, started
from engine.mailbox import Begin, BeginProgram
from engine.vocabulary.commands import Finish, Hold, WriteSpool, WriteTransmission
from engine.vocabulary.events import CallArrived
from tests.playbook import RULES, a_hotline
from tests.program_playbook import a_plan, at, say

ARRIVED = CallArrived(at(0), "a", "PJSIP/x-1", "4930100", "4930555")


def test_an_attempt_waits_for_a_line_and_who_called_a_program_is_held() -> None:
    out = started(BeginProgram("c", a_plan(say()), at(0)), RULES, lambda _: 0)
    assert out.state.phase == "waiting"
    arrived = started(BeginProgram("c", a_plan(say()), at(0), ARRIVED, at(1)), RULES, lambda _: 0)
    assert isinstance(arrived.commands[0], Hold)


def test_an_attempt_that_a_defect_ended_is_not_made_again() -> None:
    rows = never_began(BeginProgram("c", a_plan(say()), at(0)))
    assert {WriteSpool, WriteTransmission, Finish} <= {type(row) for row in rows}


@pytest.mark.parametrize("item", [Begin(ARRIVED, a_hotline(1))])
def test_a_caller_is_left_to_the_dialplan(item: Begin) -> None:
    assert never_began(item) == ()
