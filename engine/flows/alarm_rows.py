"""How a leg of an alarm ended, and the rows that are written about it. Pure.

Used by `alarm*.py`. The SIP code decides where there is one, as in the hotline. A phone's reject button is no decline:
to decline is a key pressed by a human.
"""

from datetime import datetime

from engine.flows.alarm_state import Attempt, Recipient
from engine.policy.trunks import is_trunk_trouble
from engine.vocabulary.commands import WriteAttempt, WriteNote, WriteRecipient
from engine.vocabulary.values import Cause, Direction, Disposition

BUSY_SIP = {486, 600, 603, 607}
NO_ANSWER_SIP = {480, 487}  # not 408: the trunk itself gave no answer
BUSY_CAUSES = {Cause.BUSY, Cause.REJECTED}
NO_ANSWER_CAUSES = {
    0, Cause.NORMAL, Cause.NO_USER_RESPONSE, Cause.NO_ANSWER, Cause.SUBSCRIBER_ABSENT, Cause.ANSWERED_ELSEWHERE,
    Cause.INTERWORKING,
}

# Whose end is a line of the timeline. Of the others it was said when it happened: answered, acknowledged, declined.
NOTED_ENDS = {
    Disposition.MAILBOX, Disposition.BUSY, Disposition.NO_ANSWER, Disposition.FAILED, Disposition.CANCELLED,
}


def disposition(attempt: Attempt, cause: int, sip: int) -> Disposition:
    if attempt.stage in ("confirmed", "thanked"):
        return Disposition.ACKNOWLEDGED
    if attempt.stage == "declined":
        return Disposition.DECLINED
    if attempt.is_cancelled or attempt.told:
        return Disposition.CANCELLED
    if attempt.stage == "ringing":
        return _unanswered(cause, sip)
    if attempt.stage == "silent" or attempt.is_machine:
        return Disposition.MAILBOX
    return Disposition.FAILED if cause == Cause.NO_AUDIO else Disposition.ANSWERED


def _unanswered(cause: int, sip: int) -> Disposition:
    if sip in BUSY_SIP or (not sip and cause in BUSY_CAUSES):
        return Disposition.BUSY
    if sip in NO_ANSWER_SIP or (not sip and cause in NO_ANSWER_CAUSES):
        return Disposition.NO_ANSWER
    return Disposition.FAILED


def is_trunks(attempt: Attempt, cause: int, sip: int) -> bool:
    """The phone itself never rang: another trunk may reach it."""
    return attempt.stage == "ringing" and not attempt.is_cancelled and is_trunk_trouble(cause, sip)


def attempt_row(one: Recipient, attempt: Attempt) -> WriteAttempt:
    return WriteAttempt(
        leg=attempt.leg, recipient_id=one.person.recipient_id, number=attempt.number, trunk=attempt.trunk,
        placed_at=attempt.placed_at, answered_at=attempt.answered_at, ended_at=attempt.ended_at,
        disposition=attempt.disposition, cause=attempt.cause, direction=attempt.direction,
    )


def leg_note(at: datetime, kind: str, one: Recipient, attempt: Attempt) -> WriteNote:
    return WriteNote(at, kind, one.person.recipient_id, attempt.leg, attempt.number)


def recipient_row(one: Recipient) -> WriteRecipient:
    return WriteRecipient(one.person.recipient_id, one.state, one.acknowledged_at)


def is_outbound(attempt: Attempt) -> bool:
    return attempt.direction is Direction.OUTBOUND
