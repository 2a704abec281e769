"""`/messages/recordings`: sound that programs play, and alarms: they are those of `/ringward/v1/recordings`.

A file is kept as it came and told as telephones play it: 8,000 samples a second, one channel, 16 bits.
"""

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from api.errors import ApiError
from api.ictcore.fields import Body, Description, Name
from api.ictcore.frame import Call, found, routes
from api.ictcore.media import download, media_of, which
from api.ringward.upload import LARGEST, WAV_TYPES, duration_ms
from engine.sound.telephone import telephone_wav
from engine.store.messages import RECORDINGS, PostgresMessages, StoredRecording
from engine.store.recordings import RecordingInUse

PATH = "/messages/recordings"
ALSO = "/recordings"
ITEM = "/{recording_id}"
MEDIA = ITEM + "/media"
TAG = "recordings"
WHAT = "Recording"


class TelephoneSound:
    """Converts one recording at a time: ten minutes of studio sound take a second, and a quarter of a gigabyte."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)

    async def of(self, wav: bytes) -> bytes:
        async with self._one:
            return await asyncio.to_thread(telephone_wav, wav)


class RecordingPost(Body):
    name: Name
    description: Description = ""


class RecordingPut(Body):
    name: Name | None = None
    description: Description | None = None


class RecordingId(BaseModel):
    recording_id: int


class RecordingRow(RecordingId):
    name: str
    file_name: Annotated[str, Field(description="empty while there is no file")]
    type: str = "wav"
    length: Annotated[int, Field(description="seconds")]
    description: str


class Recording(RecordingRow):
    """`codec` to `bitrate` are what its file is told as."""

    codec: str = "pcm"
    channel: int = 1
    sample: int = 8000
    bitrate: int = 16
    user_id: int | None


@routes.creates("recording_id", PATH, 412, permission="recording_create", tag=TAG, also=(ALSO,))
async def create_recording(call: Call, body: RecordingPost, messages: PostgresMessages) -> int:
    """Make a recording. Its file is uploaded then, by `PUT …/media`; from then on alarms can play it."""
    return await messages.create(RECORDINGS, call.organisation_id, call.user_id, **body.given())


@routes.on("GET", PATH, permission="recording_list", tag=TAG, also=(ALSO,))
async def list_recordings(call: Call, messages: PostgresMessages) -> list[RecordingRow]:
    """Filters: recording_id; name, type, description (contain it); user_id, before, after."""
    rows = await messages.page(RECORDINGS, call.organisation_id, call.wanted("recording"))
    return [_recording(row) for row in rows]


@routes.on("GET", PATH + ITEM, 404, permission="recording_read", tag=TAG, also=(ALSO + ITEM,))
async def get_recording(call: Call, recording_id: int, messages: PostgresMessages) -> Recording:
    """What is known of a recording."""
    return _recording(found(await messages.message(RECORDINGS, which(call, "recording", recording_id)), WHAT))


@routes.on("PUT", PATH + ITEM, 404, 412, permission="recording_update", tag=TAG, also=(ALSO + ITEM,))
async def update_recording(call: Call, recording_id: int, body: RecordingPut,
                           messages: PostgresMessages) -> Recording:
    """Change its name or description; what is not given stays."""
    changed = await messages.update(RECORDINGS, which(call, "recording", recording_id), **body.given())
    return _recording(found(changed, WHAT))


@routes.on("DELETE", PATH + ITEM, 404, 423, permission="recording_delete", tag=TAG, also=(ALSO + ITEM,))
async def delete_recording(call: Call, recording_id: int, messages: PostgresMessages) -> None:
    """Remove a recording and its file; refused with 423 while an alarm has still to play it."""
    try:
        found(await messages.delete_recording(which(call, "recording", recording_id)) or None, WHAT)
    except RecordingInUse as error:
        raise _in_use(error) from None


@routes.on("POST", PATH + MEDIA, 404, 411, 412, 413, 415, 423, permission="recording_create", tag=TAG,
           also=(ALSO + MEDIA,), consumes=WAV_TYPES, limit=LARGEST)
@routes.on("PUT", PATH + MEDIA, 404, 411, 412, 413, 415, 423, permission="recording_create", tag=TAG,
           also=(ALSO + MEDIA,), consumes=WAV_TYPES, limit=LARGEST)
async def put_recording_media(call: Call, recording_id: int, body: bytes, messages: PostgresMessages) -> RecordingId:
    """Upload its file: WAV with PCM, of at most 20 MB and 10 minutes, 4,000 to 96,000 samples a second.

    One that it has is replaced; refused with 423 while an alarm has still to play that.
    """
    one = which(call, "recording", recording_id)
    found(await messages.message(RECORDINGS, one), WHAT)
    length_ms = duration_ms(body)
    try:
        found(await messages.save_recording(one, body, length_ms) or None, WHAT)
    except RecordingInUse as error:
        raise _in_use(error) from None
    return RecordingId(recording_id=recording_id)


@routes.on("GET", PATH + MEDIA, 404, permission="recording_read", tag=TAG, also=(ALSO + MEDIA,),
           produces=WAV_TYPES[0])
async def get_recording_media(call: Call, recording_id: int, messages: PostgresMessages,
                              telephone: TelephoneSound) -> web.StreamResponse:
    """Its file, as WAV of 8,000 samples a second, one channel and 16 bits."""
    media = media_of(await messages.media(RECORDINGS, which(call, "recording", recording_id)), WHAT)
    return download(await telephone.of(media.content), WAV_TYPES[0], f"recording_{recording_id}.wav")


def _in_use(error: RecordingInUse) -> ApiError:
    return ApiError(423, f"the recording has still to be played by the alarms {error}")


def _recording(row: StoredRecording) -> Recording:
    return Recording(
        recording_id=row.recording_id, name=row.name, description=row.description, length=round(row.duration_ms / 1000),
        file_name=f"recording_{row.recording_id}.wav" if row.has_audio else "", user_id=row.created_by)
