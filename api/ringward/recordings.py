"""`/recordings`: sound that alarms play instead of speech, as WAV. Only admins see and keep them."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from api.access import Call
from api.errors import Invalid
from api.fields import FromUrl, Int64, UtcTime
from api.ringward.directory_fields import Name, Resource, at, found
from api.ringward.frame import LOCATION, PREFIX, Conflict, CursorQuery, IdPath, Listing, listing, routes
from api.ringward.upload import FORM_TYPE, LARGEST, WAV_TYPES, duration_ms, form
from api.typed_routes import Reply
from api.wording import in_words
from engine.store.recordings import PostgresRecordings, RecordingInUse, StoredRecording

PATH = "/recordings"
TAG = "recordings"
AROUND = 64 * 1024      # bytes that a form adds to the file
NAME: TypeAdapter[str] = TypeAdapter(Name)


class UploadQuery(FromUrl):
    name: Annotated[Name | None, Field(description="needed unless it is a field of a form")] = None


class RecordingBody(Resource):
    name: Name


class Recording(BaseModel):
    id: Int64
    name: str
    durationMS: int
    size: Annotated[int, Field(description="bytes")]
    digest: Annotated[str, Field(description="SHA-256 of the file, hexadecimal")]
    createdAt: UtcTime


@routes.on("GET", PATH, 403, tag=TAG)
async def list_recordings(call: Call, query: CursorQuery, recordings: PostgresRecordings) -> Listing[Recording]:
    """The recordings of the organization. Only admins may do this."""
    call.as_admin()
    rows = await recordings.page(call.organisation_id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.recording_id)
    return Listing(items=[_recording(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, tag=TAG, statuses=(201,), headers=LOCATION, consumes=(*WAV_TYPES, FORM_TYPE),
           limit=LARGEST + AROUND)
async def upload_recording(call: Call, query: UploadQuery, body: bytes, request: web.Request,
                           recordings: PostgresRecordings) -> Reply[Recording]:
    """Upload a WAV file with PCM, of at most 20 MB and 10 minutes, 4,000 to 96,000 samples a second.

    The body is the file and `name` stands in the query, or it is a form with the fields `audio` and `name`. The file is
    kept as it is, and converted for the telephone when it is first played. Only admins may do this.
    """
    call.as_admin()
    name, audio = query.name, body
    if request.content_type == FORM_TYPE:
        fields = form(body, request.headers["Content-Type"])
        if "audio" not in fields:
            raise Invalid("audio", "is needed: the field of the form that holds the file")
        name, audio = name or _name(fields.get("name", b"")), fields["audio"]
    if name is None:
        raise Invalid("name", "is needed: in the query (?name=…) or the form")
    made = await recordings.create(call.organisation_id, name, audio, duration_ms(audio))
    return Reply(_recording(made), headers=at(PREFIX + PATH, made.recording_id))


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_recording(call: Call, path: IdPath, recordings: PostgresRecordings) -> Recording:
    """What is known of a recording. Only admins may do this."""
    call.as_admin()
    return _recording(found(await recordings.recording(call.organisation_id, path.id), "recording"))


@routes.on("GET", PATH + "/{id}/audio", 403, 404, tag=TAG, produces=WAV_TYPES[0])
async def get_recording_audio(call: Call, path: IdPath, recordings: PostgresRecordings) -> bytes:
    """The file as it was uploaded. Only admins may do this."""
    call.as_admin()
    return found(await recordings.audio(call.organisation_id, path.id), "recording")


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG)
async def rename_recording(call: Call, path: IdPath, body: RecordingBody, recordings: PostgresRecordings) -> Recording:
    """Change its name; other sound is another recording. Only admins may do this."""
    call.as_admin()
    return _recording(found(await recordings.rename(call.organisation_id, path.id, body.name), "recording"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, 409, tag=TAG)
async def delete_recording(call: Call, path: IdPath, recordings: PostgresRecordings) -> None:
    """Remove a recording; refused with 409 while an alarm has still to play it. Only admins may do this."""
    call.as_admin()
    try:
        found(await recordings.delete(call.organisation_id, path.id) or None, "recording")
    except RecordingInUse as error:
        raise Conflict("recording-in-use", "id", f"still to be played by the alarms {error}") from None


def _name(value: bytes) -> str | None:
    if not value:
        return None
    try:
        return NAME.validate_python(value.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("name", "not UTF-8") from None
    except ValidationError as error:
        raise Invalid("name", in_words(error.errors()[0])) from None


def _recording(row: StoredRecording) -> Recording:
    return Recording(id=row.recording_id, name=row.name, durationMS=row.duration_ms, size=row.size, digest=row.digest,
                     createdAt=row.created_at)
