"""Sending a transmission: looked at, counted and handed to an engine in one transaction, or refused. Of
`transmissions.py`, and of what is scheduled.

What is written is a spool that no engine has claimed; a trigger wakes one. Order matters: the organisation is locked
last and shortest, to count its calls.
"""

from api.errors import ApiError, Invalid, NotFound
from api.ictcore.frame import Call, failed, found
from api.ictcore.program_fields import VOICE
from api.phone_numbers import e164
from engine.policy.scheme import SchemeInvalid, recordings_of, steps_of
from engine.store.dialable import refusal
from engine.store.transmissions import PostgresTransmissions, Sending, SentProgram
from engine.vocabulary.program import VOICE_TYPES, ProgramStep, TransmissionStatus

SERVICE_NAMES = {2: "fax", 4: "SMS", 8: "e-mail"}
NOT_YET = "sending by {} is not there yet; the transmission is kept"
SENDABLE = (TransmissionStatus.PENDING, TransmissionStatus.PENDING_RETRY, TransmissionStatus.FAILED)


async def send(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> int:
    """The id of its spool. Raises ApiError 404, 412, 423, 501; nothing has changed then."""
    async with transmissions.sending(
            call.organisation_id, transmission_id, call.seen_by("transmission")) as found_:
        sending = found(found_, "Transmission")
        _check_state(sending)
        joined = await _checked_program(call, found(await sending.program(), "Program"), sending)
        number = await _number(sending)
        await _check_caller(sending, number, joined)
        return await sending.send()


def _check_state(sending: Sending) -> None:
    row = sending.row
    if row["is_deleted"]:
        raise ApiError(423, "the transmission is deleted")
    if row["status"] not in SENDABLE:
        raise ApiError(423, f"the transmission is {row['status']}")
    if row["service_flag"] != VOICE:
        raise ApiError(501, NOT_YET.format(SERVICE_NAMES.get(row["service_flag"], "this service")))
    if row["direction"] != "outbound":
        raise failed("direction", "an inbound transmission is not sent")


async def _checked_program(call: Call, program: SentProgram, sending: Sending) -> frozenset[str]:
    """Whom it may join with, beside hotlines of the organisation."""
    if program.type not in VOICE_TYPES:
        raise ApiError(501, NOT_YET.format(f"a program of the type {program.type}"))
    steps = _steps(call, program)
    silent = await sending.silent_recordings(recordings_of(steps))
    if silent:
        raise failed("recording_id", f"recording {silent[0]} has no file to play")
    joined = frozenset(f"+{it.to}" for it in steps if it.to)
    return joined - await sending.hotline_numbers(joined) if joined else joined


def _steps(call: Call, program: SentProgram) -> tuple[ProgramStep, ...]:
    """What would be run, if it were run now."""
    data = dict(program.data)
    try:
        if "extension_id" in data:
            data["to"] = e164(data["to"] or "", call.country, "extension_id")
        return steps_of(program.type, data)
    except Invalid:
        raise failed("extension_id", "its account has no phone number") from None
    except SchemeInvalid as error:
        raise failed(error.field, error.problem) from None


async def _number(sending: Sending) -> str:
    contact = await sending.contact()
    if contact is None:
        raise NotFound("Contact")
    if contact["number"] is None:
        raise failed("contact_id", "the contact has no phone number")
    if contact["has_opted_out"]:
        raise failed("contact_id", f"{contact['number']} is not to be called (do-not-call)")
    return str(contact["number"])


async def _check_caller(sending: Sending, number: str, joined: frozenset[str]) -> None:
    caller = await sending.caller()
    for field, numbers in (("contact_id", [number]), ("program_id", sorted(joined))):
        for it in numbers:
            if (why := refusal(it, caller.countries)) is not None:
                raise failed(field, f"{it} is {why.why} ({why.rule})")
    if not caller.has_number:
        raise ApiError(412, "the organization has no number of its own to show as caller (no-number)")
    for rule, cap, left in caller.left:
        if left < 1:
            raise ApiError(412, f"all {cap} calls a {rule.rpartition('-')[2]} are placed ({rule})")
