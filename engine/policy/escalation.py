"""Who is rung next in an alarm, and on which phone.

Called by `flows/alarm*.py`. A person's phones are rung in their order, each once a round; which people are rung at
once is the strategy's: all (`parallel`), as many as would suffice (`sequential`), or group after group (`waves`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.policy.quorum import Quorum, Tally, helps, is_reached, missing, together
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be rung now. `is_begun`: some of his phones were rung in this round."""

    place: int
    role: str
    round: int
    is_begun: bool


def next_in_line(
    candidates: Iterable[Candidate], quorum: Quorum, acknowledged: Tally, ringing: Tally, is_reachable: bool
) -> tuple[int, ...]:
    """Places of those whom `sequential` rings now: so many that it would suffice if they and all who are being rung
    acknowledged. First whose round has begun, then by round, then in order. Once the quorum is out of reach,
    everybody is rung, no more at once than are missing."""
    ordered = sorted(candidates, key=lambda one: (not one.is_begun, one.round, one.place))
    if not is_reachable:
        free = missing(quorum, acknowledged) - sum(ringing.values())
        return tuple(one.place for one in ordered[: max(0, free)])
    promised = dict(together(acknowledged, ringing))
    chosen: list[int] = []
    for one in ordered:
        if is_reached(quorum, promised):
            break
        if helps(quorum, promised, one.role):
            promised[one.role] = promised.get(one.role, 0) + 1
            chosen.append(one.place)
    return tuple(chosen)
