"""Trunks: by which one a number is dialled, and by which next when one fails.

Used by `routing.py`. The order of fail-over of a number: the organisation's own providers first, the lighter weight
first; never another organisation's. Then those of the settings: with the longest matching prefix first, then shorter
ones, then those for every destination (no prefixes); among equals in the order of the settings. A number that none of
the settings' names goes by the first of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor

from engine.vocabulary.values import TRUNK_CAUSES

MAIN = "trunk"
NO_RESPONSE_SIP = 408


@dataclass(frozen=True, slots=True)
class Trunk:
    """`cps`: new outbound legs a second; `channels`: legs at once, both directions; `prefixes`: E.164 digits.
    `organisation_id`: whose provider it is, None for a trunk of the settings, which is everybody's."""

    name: str
    cps: float
    channels: int
    prefixes: tuple[str, ...] = ()
    organisation_id: int | None = None
    weight: int = 0

    def room(self, rank: int, headroom: float) -> int:
        """Legs up to which a new one of this rank may be added: hotlines may fill the trunk, others leave head-room,
        but for one."""
        return self.channels if rank == 0 else max(1, floor(round(self.channels * (1 - headroom), 6)))


def own_trunks(providers: Iterable[Trunk]) -> Mapping[int, Sequence[Trunk]]:
    """By organisation, in their order of fail-over; of equal weight the one that was given first."""
    own: dict[int, list[Trunk]] = {}
    for trunk in sorted(providers, key=lambda trunk: trunk.weight):
        if trunk.organisation_id is not None:
            own.setdefault(trunk.organisation_id, []).append(trunk)
    return own


def failover_order(trunks: Sequence[Trunk], number: str, own: Sequence[Trunk] = ()) -> Sequence[Trunk]:
    """`trunks` of the settings, `own` ones of whoever dials (`own_trunks`). Never empty, if `trunks` is not."""
    if len(trunks) == 1:
        return [*own, *trunks] if own else trunks
    fits = [(length, trunk) for trunk in trunks if (length := _matched(trunk, number)) is not None]
    return [*own, *([trunk for _, trunk in sorted(fits, key=lambda fit: -fit[0])] or trunks[:1])]


def _matched(trunk: Trunk, number: str) -> int | None:
    if not trunk.prefixes:
        return 0
    return max((len(prefix) for prefix in trunk.prefixes if number.startswith(prefix)), default=None)


def is_trunk_trouble(cause: int, sip: int) -> bool:
    """A leg that was never answered ended so (Q.850 cause; SIP status, 0 when nobody refused): the trunk failed, the
    phone never rang. 408 also says that the trunk gave no answer at all (timer_b in config/asterisk/pjsip.conf)."""
    return sip == NO_RESPONSE_SIP or 500 <= sip < 600 or (not sip and cause in TRUNK_CAUSES)


def trunk_of(channel: str) -> str:
    """`PJSIP/trunk.5f0c11aa-0000002a` came by `trunk` (`endpoints.py` of the switch); '' when the name says nothing."""
    _, _, name = channel.partition("/")
    return name.rpartition("-")[0].partition(".")[0]
