"""How an attempt to run a program ended, and whether and when the same person is called again.

Called by `flows/program*.py`. The SIP status decides where there is one, as for hotlines (docs/decisions/0006). Final:
who refused for good, a number that does not exist, who opted out, and whoever was reached.
"""

from engine.vocabulary.program import CallDisposition, RetryRules
from engine.vocabulary.values import Cause

BUSY_SIP = frozenset({486, 600})
DECLINED_SIP = frozenset({603, 607})
INVALID_SIP = frozenset({404, 410, 484, 604})  # not found, gone, address incomplete, does not exist anywhere
NO_ANSWER_SIP = frozenset({480, 487})  # not 408: the trunk itself gave no answer

NUMBER_CHANGED, INVALID_FORMAT = 22, 28
INVALID_CAUSES = frozenset({int(Cause.UNALLOCATED), NUMBER_CHANGED, INVALID_FORMAT})
NO_ANSWER_CAUSES = frozenset({
    0, int(Cause.NORMAL), int(Cause.NO_USER_RESPONSE), int(Cause.NO_ANSWER), int(Cause.SUBSCRIBER_ABSENT),
    int(Cause.ANSWERED_ELSEWHERE), int(Cause.INTERWORKING),
})


def unanswered(cause: int, sip: int) -> CallDisposition:
    """A leg that was never answered ended so (Q.850 cause; SIP status, 0 when nobody refused)."""
    if sip in BUSY_SIP or (not sip and cause == Cause.BUSY):
        return CallDisposition.BUSY
    if sip in DECLINED_SIP or (not sip and cause == Cause.REJECTED):
        return CallDisposition.DECLINED
    if sip in INVALID_SIP or (not sip and cause in INVALID_CAUSES):
        return CallDisposition.INVALID_NUMBER
    if sip in NO_ANSWER_SIP or (not sip and cause in NO_ANSWER_CAUSES):
        return CallDisposition.NO_ANSWER
    return CallDisposition.FAILED


def again_after_s(how: CallDisposition, tries_left: int, rules: RetryRules) -> float | None:
    """Seconds until the next attempt; None: there is none. A mailbox here is one that the program hung up on."""
    if tries_left <= 0:
        return None
    match how:
        case CallDisposition.BUSY:
            return rules.busy_s
        case CallDisposition.NO_ANSWER | CallDisposition.MAILBOX:
            return rules.no_answer_s
        case CallDisposition.FAILED | CallDisposition.LOST:
            return rules.failed_s
        case _:
            return None
