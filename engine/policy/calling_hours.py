"""When somebody may be rung: hours of the clock on his own wall, on some weekdays, perhaps not on holidays.

Asked before a contact of a campaign is dialled, with `now` as an argument. What counts is what that clock shows: in an
hour that it skips there is nobody to ring, and an hour that it shows twice is open or closed both times. A number may
lie in several zones; then it is rung only when the window is open in every one.

The search goes day by day, not minute by minute. While an offset holds, a window opens at its start and never else;
with a change of the clock it may also open at that moment.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from engine.policy.clock_changes import change_between, offset
from engine.vocabulary.program import CallingHours

FURTHEST = timedelta(days=60)
DAY = timedelta(days=1)
IsHoliday = Callable[[date], bool]


def opens_at(
    hours: CallingHours | None, zones: Sequence[tzinfo], is_holiday: IsHoliday, now: datetime
) -> datetime | None:
    """The soonest moment, `now` or later, at which all of the zones have the window open; None: not within 60 days.

    Without hours it is always open. `zones` are those of the number, or the organisation's when they are not known:
    never empty, since whom no clock is known of would be rung at night. Raises ValueError for that.
    """
    if hours is None:
        return now
    if not zones:
        raise ValueError("no zone to read the clock in")
    moment: datetime | None = now
    while moment is not None:
        closed = next((zone for zone in zones if not _is_open_in(hours, zone, is_holiday, moment)), None)
        if closed is None:
            return moment
        moment = _opening(hours, closed, is_holiday, moment, now + FURTHEST)
    return None


def is_open(hours: CallingHours, zones: Sequence[tzinfo], is_holiday: IsHoliday, moment: datetime) -> bool:
    return all(_is_open_in(hours, zone, is_holiday, moment) for zone in zones)


def _is_open_in(hours: CallingHours, zone: tzinfo, is_holiday: IsHoliday, moment: datetime) -> bool:
    local = moment.astimezone(zone)
    day = _began_on(hours, local)
    return day is not None and day.isoweekday() in hours.weekdays and not is_holiday(day)


def _began_on(hours: CallingHours, local: datetime) -> date | None:
    """The day whose window is open by the clock alone; None: no day's."""
    clock = local.time()
    if hours.start == hours.end or hours.start <= clock < hours.end:
        return local.date()
    if hours.start < hours.end:
        return None
    if clock >= hours.start:
        return local.date()
    return local.date() - DAY if clock < hours.end else None


def _opening(
    hours: CallingHours, zone: tzinfo, is_holiday: IsHoliday, since: datetime, until: datetime
) -> datetime | None:
    """The first moment of one zone, at which its window is open. `since` is not."""
    while since <= until:
        end = since + DAY
        change = change_between(zone, since, end)
        start = _next_start(hours, zone, since)
        if start < (change or end) and start <= until and _is_open_in(hours, zone, is_holiday, start):
            return start
        since = change or end
        if since <= until and _is_open_in(hours, zone, is_holiday, since):
            return since
    return None


def _next_start(hours: CallingHours, zone: tzinfo, since: datetime) -> datetime:
    """When the clock shows the start next, `since` or later, were its offset to stay as it is."""
    ahead = offset(zone, since)
    local = since.astimezone(UTC).replace(tzinfo=None) + ahead
    begin = time.min if hours.start == hours.end else hours.start
    start = datetime.combine(local.date(), begin)
    return (start if start >= local else start + DAY).replace(tzinfo=UTC) - ahead
