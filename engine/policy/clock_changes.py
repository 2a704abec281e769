"""When the clocks of a time zone are put forward or back. Used by `calling_hours.py` and `schedule.py`.

Zones are `tzinfo` arguments, which tell an offset at a moment and no more; so a change is searched for. Two days a
year have one.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from math import floor


def offset(zone: tzinfo, moment: datetime) -> timedelta:
    """What is added to UTC there at that moment."""
    of_zone = moment.astimezone(zone).utcoffset()
    return timedelta(0) if of_zone is None else of_zone


def change_between(zone: tzinfo, begin: datetime, end: datetime) -> datetime | None:
    """The moment, behind `begin` and not behind `end`, from which another offset than that of `begin` holds.

    None when `end` has the same. At most one change lies between them; changes are at whole seconds.
    """
    before = offset(zone, begin)
    if offset(zone, end) == before:
        return None
    low, high = floor(begin.timestamp()), floor(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if offset(zone, datetime.fromtimestamp(middle, UTC)) == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
