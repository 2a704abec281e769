"""How a call begins, by what was posted for it. Used by `engine/call.py` alone."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.flows import alarm, hotline, program
from engine.flows.flow import Step
from engine.flows.program_state import State as ProgramState
from engine.mailbox import Begin, BeginAlarm, BeginProgram
from engine.vocabulary.commands import Finish, RowCommand, WriteAlarm, WriteNote
from engine.vocabulary.events import CallArrived, FallbackStarted
from engine.vocabulary.values import AlarmState, Hotline, Rules


def started(
    item: Begin | BeginAlarm | BeginProgram, rules: Rules, callers_of: Callable[[Hotline], int],
) -> Step[Any]:
    """`callers_of`: how many a hotline has already."""
    match item:
        case BeginAlarm(queued, at):
            return alarm.start(queued.plan, queued.persons, at)
        case BeginProgram(_, plan, at, arrived, not_after):
            if arrived is not None:
                return program.start_inbound(plan, arrived, not_after or at)
            return program.start(plan, at)
        case Begin(CallArrived() as event, made):
            return hotline.start(event, made, rules, callers_of(made))
        case Begin(FallbackStarted() as event, made):
            return hotline.start_in_fallback(event, made, rules)
    raise TypeError(item)


def never_began(item: Begin | BeginAlarm | BeginProgram) -> Sequence[RowCommand]:
    """A defect met by one call: it is recorded as failed, and nobody tries it again. Nobody claims a caller then: the
    dialplan serves him."""
    match item:
        case BeginAlarm(_, at):
            notes = WriteNote(at, "failed", message="internal error"), Finish(at, "failed")
            return WriteAlarm(at, AlarmState.FAILED), *notes
        case BeginProgram(_, plan, at):
            return *program.failed(ProgramState("waiting", plan, at), at), Finish(at, "failed")
        case _:
            return ()
