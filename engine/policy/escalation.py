"""Who is rung next in an alarm, and on which phone.

Called by `flows/alarm*.py`. A person's phones are rung in their order, each once a round; which people are rung at
once is the strategy's: all (`parallel`), as many as would suffice (`sequential`), or group after group (`waves`).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.policy.quorum import Quorum, Tally, missing, missing_by_role, together
from engine.vocabulary.values import Disposition, Wave

# The words of `retry.on` for how an attempt ended. A mailbox is everything that answered and pressed no key.
RETRY_WORDS = {
    Disposition.BUSY: "busy",
    Disposition.NO_ANSWER: "noAnswer",
    Disposition.MAILBOX: "mailbox",
    Disposition.ANSWERED: "mailbox",
    Disposition.FAILED: "failed",
}


def is_retried(disposition: Disposition, retry_on: Collection[str]) -> bool:
    """May this phone be rung again in a later round? What we cancelled ourselves says nothing against it."""
    word = RETRY_WORDS.get(disposition)
    return word in retry_on if word else disposition is Disposition.CANCELLED


def next_phone(phones: Sequence[str], first: int, dropped: Collection[str]) -> int | None:
    """The place of the phone to ring next in this round, from place `first` on."""
    return next((place for place in range(first, len(phones)) if phones[place] not in dropped), None)


def wave_of(groups: Collection[int], waves: Sequence[Wave]) -> int:
    """In which wave somebody of these groups is rung. Whom no wave names is in one more, after the last."""
    for place, wave in enumerate(waves):
        if not wave.group_ids or set(wave.group_ids) & set(groups):
            return place
    return len(waves)


def wave_due_at(waves: Sequence[Wave], place: int, began_at: datetime) -> datetime | None:
    """When this wave begins at the latest; None: when those before it can no longer suffice, or never."""
    return began_at + timedelta(seconds=waves[place].after_s) if place < len(waves) else None


class Candidate(NamedTuple):
    """Somebody who could be rung now, sorted as he is rung: who has begun his round first, then by round, in order."""

    is_fresh: bool
    round: int
    place: int
    role: str


def next_in_line(
    candidates: Iterable[Candidate], quorum: Quorum, acknowledged: Tally, ringing: Tally, is_reachable: bool
) -> tuple[int, ...]:
    """Places of those whom `sequential` rings now: so many that it would suffice if they and all who are being rung
    acknowledged. Once the quorum is out of reach, everybody is rung, no more at once than are missing."""
    if not is_reachable:
        free = missing(quorum, acknowledged) - sum(ringing.values())
        return tuple(one.place for one in sorted(candidates)[: max(0, free)])
    promised = together(acknowledged, ringing)
    free, short = missing(quorum, promised), missing_by_role(quorum, promised)
    reserved = sum(short.values())
    chosen: list[int] = []
    for one in sorted(candidates) if free else ():
        is_short = short.get(one.role, 0) > 0
        if is_short:
            short[one.role] -= 1
            reserved -= 1
        elif free == reserved:
            continue  # the places left are for people of other roles
        chosen.append(one.place)
        free -= 1
        if not free:
            break
    return tuple(chosen)
