"""What the loop asks a hotline's call (`flows/flow.py`). Pure; `hotline.py` shows it with the flow."""

from collections.abc import Sequence
from datetime import datetime

from engine.flows import hotline_state
from engine.flows.flow import Apart, Leg, Owner
from engine.flows.hotline_state import State, demand, find, legs_in_use, tried_before
from engine.policy.routing import HOTLINE, Limit, Wanted, Wants
from engine.policy.trunks import trunk_of
from engine.vocabulary.commands import RowCommand, SetTimer, WriteEntry
from engine.vocabulary.values import EntryType

APART: Apart | None = None
leased = hotline_state.leased


def phase(state: State) -> str:
    return state.phase


def owner(state: State) -> Owner:
    return Owner(state.hotline.organisation_id, state.hotline.hotline_id, state.leg)


def legs(state: State) -> Sequence[Leg]:
    caller = Leg(state.leg, trunk=trunk_of(state.channel))
    return (caller, *(Leg(leg.leg, number, leg.trunk) for number, leg in legs_in_use(state).items()))


def has_somebody(state: State) -> bool:
    return True


def wants(state: State) -> Wants | None:
    phones = demand(state)
    if not phones:
        return None
    hotline = state.hotline
    return Wants(
        HOTLINE, state.arrived_at, tuple(
            Wanted(phone.number, phone=phone, skip=tried_before(state, phone).failed_trunks) for phone in phones),
        Limit(hotline.hotline_id, hotline.channels_outbound), hotline.organisation_id,
    )


def wants_to_ring(state: State, leg: str, at: datetime) -> bool:
    dialled = find(state, leg)
    return dialled is not None and dialled.stage == "dialled" and not dialled.cancelled


def timers(state: State, at: datetime) -> Sequence[SetTimer]:
    return ()  # `Reconciled` brings them


def failed(state: State, at: datetime) -> Sequence[RowCommand]:
    return (WriteEntry(at, EntryType.CALL_ENDED, message="internal error"),)
