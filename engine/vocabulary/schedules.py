"""Values of schedules: what is to be done at a time, and what is decided about it when the time has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """`fields`: of cron, none for a single moment. `time_zone`: the IANA's name of the clocks that they mean."""

    schedule_id: int
    type: str               # transmission, campaign
    action: str             # send, start, stop
    fields: Mapping[str, str]
    time_zone: str
    is_recurring: bool
    expiry_s: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ScheduleDecision:
    """`is_missed`: it is too late, nothing is done. `next_due`: when it is due again, None never."""

    is_missed: bool
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class ScheduleDone:
    """`problem` '': it did what it says. `is_put_off`: the database did not let it; it is due as it was."""

    schedule_id: int
    problem: str = ""
    is_put_off: bool = False
