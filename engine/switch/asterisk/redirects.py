"""Redirects that Asterisk refused because an earlier one has not taken effect yet: they are sent again.

For about 4 ms after a `Redirect` another one of the same channel is answered "channel not up". Only the latest order
of a leg is ever repeated, and only while it is still right (`not_after`); `switch.py` tells each order and each answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

AGAIN_AFTER_S = 0.005
TRIES = 40
_NOT_YET = "not up"


@dataclass(slots=True)
class Redirect:
    leg: str
    verb: str
    number: int
    not_after: datetime | None
    tries: int = 1


class Redirects:
    """The latest redirect of each leg, until it is answered for good or another order follows it."""

    def __init__(self) -> None:
        self._latest: dict[str, Redirect] = {}

    def sent(self, leg: str, verb: str | None, number: int, not_after: datetime | None) -> None:
        """An order for a leg goes out. `verb` is None when it is no redirect."""
        if verb is None:
            self._latest.pop(leg, None)
        else:
            self._latest[leg] = Redirect(leg, verb, number, not_after)

    def refused(self, message: Mapping[str, str]) -> Redirect | None:
        """The redirect to be tried again in a moment, if this is the answer to one that came too early."""
        match message.get("actionid", "").split(":"):
            case ["to", _, leg, number]:
                latest = self._latest.get(leg)
                if latest is None or str(latest.number) != number:
                    return None
                is_early = message.get("response") == "Error" and _NOT_YET in message.get("message", "")
                if is_early and latest.tries < TRIES:
                    latest.tries += 1
                    return latest
                del self._latest[leg]
        return None

    def is_wanted(self, redirect: Redirect, now: datetime) -> bool:
        """Still the latest order of its leg, and in time?"""
        return self._latest.get(redirect.leg) is redirect and not (redirect.not_after and now > redirect.not_after)

    def clear(self) -> None:
        self._latest.clear()
