"""The types of programs: which fields each takes, what they refer to, and that it can be run. See `programs.py`."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.errors import ApiError, Invalid, NotFound
from api.fields import INT64_MAX
from api.ictcore.fields import Body, Description, Name, OneLine, Text
from api.ictcore.frame import Call, failed, read_as
from api.json_body import parse
from api.phone_numbers import NO_PHONE, WRITTEN, e164
from engine.policy.scheme import LONGEST_WAIT_S, NUMBERS, SchemeInvalid, recordings_of, steps_of, transfers_of
from engine.policy.scheme_fields import LONGEST_TEXT, written
from engine.policy.scheme_graph import Node
from engine.store.dialable import refusal
from engine.store.programs import PostgresPrograms, Reference, StoredProgram

VOICE, FAX, SMS, EMAIL = 1, 2, 4, 8     # service flags
LARGEST = 256 * 1024                    # bytes of a body: a hundred nodes that speak
Id = Annotated[int, Field(ge=1, le=INT64_MAX)]


class ProgramPost(Body):
    name: Name
    parent_id: Id | None = None


class ProgramVoicemessage(ProgramPost):
    recording_id: Id


class ProgramVoicetts(ProgramPost):
    text: Annotated[Text, Field(min_length=1, max_length=LONGEST_TEXT)]
    delay: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S, description="seconds; 0: it is spoken once")] = 0


class ProgramIvr(ProgramPost):
    ivr_scheme: Annotated[dict[str, Any] | list[Any] | str, Field(
        description="a graph of steps, see docs/ictcore.md; also as JSON text",
        examples=[{"0": {"type": "say", "data": {"text": "Hello {first_name}"}, "links": {"": 1}},
                   "1": {"type": "disconnect"}}])]
    description: Description = ""


class ProgramAgent(ProgramPost):
    extension_id: Id


class ProgramForward(ProgramAgent):
    did_id: Id


class ProgramSendfax(ProgramPost):
    document_id: Id


class ProgramSendemail(ProgramPost):
    template_id: Id


class ProgramSendsms(ProgramPost):
    text_id: Id


class ProgramReceiving(ProgramPost):
    account_id: Id


class ProgramReceivefax(ProgramReceiving):
    pass


class ProgramFaxtoemail(ProgramReceiving):
    pass


class ProgramEmailtofax(ProgramReceiving):
    pass


class ProgramReceivesms(ProgramReceiving):
    pass


class ProgramReceiveemail(ProgramReceiving):
    pass


MODELS: Mapping[str, type[ProgramPost]] = {
    "voicemessage": ProgramVoicemessage, "voicetts": ProgramVoicetts, "ivr": ProgramIvr, "forward": ProgramForward,
    "agent": ProgramAgent, "sendfax": ProgramSendfax, "receivefax": ProgramReceivefax,
    "faxtoemail": ProgramFaxtoemail, "emailtofax": ProgramEmailtofax, "sendemail": ProgramSendemail,
    "receiveemail": ProgramReceiveemail, "sendsms": ProgramSendsms, "receivesms": ProgramReceivesms}
SERVICES: Mapping[str, int] = {
    "voicemessage": VOICE, "voicetts": VOICE, "ivr": VOICE, "forward": VOICE, "agent": VOICE, "sendfax": FAX,
    "receivefax": FAX, "faxtoemail": FAX, "emailtofax": EMAIL, "sendemail": EMAIL, "receiveemail": EMAIL,
    "sendsms": SMS, "receivesms": SMS}
# which kind of thing a field names; whose are seen is a matter of the group of permissions
KINDS: Mapping[str, tuple[str, str]] = {
    "recording_id": ("recording", "recording"), "document_id": ("document", "document"),
    "template_id": ("template", "template"), "text_id": ("text", "text"), "account_id": ("account", "account"),
    "extension_id": ("extension", "account"), "did_id": ("did", "account"), "parent_id": ("program", "program"),
    "contact_id": ("contact", "contact"), "program_id": ("program", "program")}


class ProgramChange(Body):
    """What is not given stays. The fields of its type are those of the create."""

    name: Name | None = None
    parent_id: Id | None = None
    recording_id: Id | None = None
    text: str | None = None
    delay: float | None = None
    ivr_scheme: dict[str, Any] | list[Any] | str | None = None
    description: Description | None = None
    extension_id: Id | None = None
    did_id: Id | None = None
    document_id: Id | None = None
    template_id: Id | None = None
    text_id: Id | None = None
    account_id: Id | None = None


class ProgramTyped(ProgramChange):
    type: Annotated[OneLine, Field(max_length=32)] | None = None


class ListedProgram(BaseModel):
    program_id: int
    name: str
    type: str
    parent_id: int | None


class Program(ListedProgram):
    """With the fields of its type, which `data` has as well."""

    model_config = {"extra": "allow"}

    user_id: int | None
    data: dict[str, Any]


def told(row: StoredProgram) -> Program:
    data = {name: value for name, value in row.data.items() if name != NUMBERS}
    return Program(program_id=row.program_id, name=row.name, type=row.type, parent_id=row.parent_id,
                   user_id=row.created_by, **{"data": data, **data})


def model_of(type_: str) -> type[ProgramPost]:
    """Raises ApiError 412."""
    model = MODELS.get(type_)
    if model is None:
        raise failed("type", f"must be one of {', '.join(MODELS)}")
    return model


async def checked(call: Call, type_: str, body: ProgramPost, programs: PostgresPrograms) -> dict[str, Any]:
    """The fields of its type as they are stored. Raises ApiError 412 and 404."""
    data = body.model_dump(exclude={"name", "parent_id"})
    if type_ == "ivr":
        data["ivr_scheme"] = _scheme(data["ivr_scheme"])
    ids = {name: data[name] for name in KINDS if name in data}
    if body.parent_id is not None:
        ids["parent_id"] = body.parent_id
    await known(call, programs, *(reference(call, name, it) for name, it in ids.items()))
    try:
        if type_ == "ivr":
            await _check_ivr(call, data, programs)
        elif type_ in ("voicetts", "voicemessage"):
            steps_of(type_, data)
    except SchemeInvalid as error:
        raise failed(error.field, error.problem) from None
    return data


def reference(call: Call, name: str, id_: int) -> Reference:
    kind, group = KINDS[name]
    return Reference(name, kind, id_, call.seen_by(group))


async def known(call: Call, programs: PostgresPrograms, *references: Reference) -> None:
    """Raises NotFound: one of them is not there."""
    unknown = await programs.unknown(call.organisation_id, references)
    if unknown is not None:
        raise NotFound(f"{unknown.field}: {unknown.kind.capitalize()}")


def _scheme(given: Any) -> Any:
    """As an object or list. Raises ApiError 412."""
    try:
        scheme = parse(given.encode()) if isinstance(given, str) else given
        said = json.dumps(scheme, ensure_ascii=False)
        if "\\u0000" in said or len(said.encode()) > LARGEST:
            raise failed("ivr_scheme", "no null characters, a quarter of a megabyte at most")
    except UnicodeEncodeError:
        raise failed("ivr_scheme", "not UTF-8") from None
    except ApiError as error:
        raise failed("ivr_scheme", error.message) if error.status != 412 else error from None
    except RecursionError:
        raise failed("ivr_scheme", "nested too deep") from None
    return scheme


async def _check_ivr(call: Call, data: dict[str, Any], programs: PostgresPrograms) -> None:
    """Adds what its transfers lead to, as the numbers are now. Raises SchemeInvalid, ApiError."""
    transfers = transfers_of(data)
    if transfers:
        data[NUMBERS] = await _numbers(call, transfers, programs)
    recordings = sorted(recordings_of(steps_of("ivr", data)))
    await known(call, programs, *(
        Reference(f"recording_id {it}", "recording", it, call.seen_by("recording")) for it in recordings))


async def _numbers(call: Call, nodes: list[Node], programs: PostgresPrograms) -> dict[str, str]:
    """By node, in E.164 with a plus. A number that is nobody's hotline is one that may be dialled."""
    given = {node.key: node.data.first("to", "hotline_id") for node in nodes}
    written_: dict[str, str] = {}
    ids: dict[str, int] = {}
    for node in nodes:
        name, value = given[node.key]
        if name == "hotline_id":
            ids[node.key] = node.data.whole(name, low=1, high=INT64_MAX)
        elif value is not None:
            written_[node.key] = _e164(call, node, value)
    hotlines = (await programs.hotlines(call.organisation_id, ids.values(), written_.values())).numbers
    for node in nodes:
        if node.key in ids and ids[node.key] not in hotlines:
            raise NotFound(f"{node.path}.data.hotline_id: Hotline")
    countries = await programs.countries(call.organisation_id)
    for node in nodes:
        number = written_.get(node.key)
        if number is not None and number not in hotlines.values() and (why := refusal(number, countries)):
            raise node.data.wrong("to", f"{number} is {why.why} ({why.rule})")
    return written_ | {key: hotlines[it] for key, it in ids.items()}


def _e164(call: Call, node: Node, value: Any) -> str:
    text = written(value)
    if text is None or not re.fullmatch(WRITTEN, text):
        raise node.data.wrong("to", NO_PHONE)
    try:
        return e164(text, call.country, "to")
    except Invalid as error:
        raise node.data.wrong("to", error.problems[0].problem) from None


def merged(row: StoredProgram, body: ProgramChange) -> ProgramPost:
    """A program with what a change names. Raises ApiError 412."""
    given = body.given()
    fields = MODELS[row.type].model_fields
    before = {"name": row.name, "parent_id": row.parent_id, **row.data}
    return read_as(MODELS[row.type], {name: given.get(name, before.get(name)) for name in fields})
