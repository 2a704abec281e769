"""What programs send: documents, recordings, e-mail templates and texts. SQL is in `sql/messages.sql`.

Of each kind a user sees what he made, or (`seen_by` None) everybody's. A message is made first and gets its file later.
Recordings are those of `recordings.py`: what was uploaded here, alarms play; while one has still to play it, its sound
stays as it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from engine.store.filters import Filters, Wanted, contains, exact_number
from engine.store.pool import acquired
from engine.store.recordings import AUDIO_TIMEOUT_S, RecordingInUse
from engine.store.statements import Connection, Statements

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    document_id: int
    created_by: int | None
    name: str
    description: str
    type: str           # pdf, tif, png, jpg; '' while it has no file
    quality: str
    pages: int
    width: int          # of the first page: points of a PDF, dots of a picture
    height: int


@dataclass(frozen=True, slots=True)
class StoredRecording:
    recording_id: int
    created_by: int | None
    name: str
    description: str
    has_audio: bool
    duration_ms: int


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """In a list, `body` and `body_alt` are empty. `length`: bytes of all that it says, and of its attachment."""

    template_id: int
    created_by: int | None
    name: str
    description: str
    subject: str
    body: str
    body_alt: str
    type: str
    media_type: str     # of the attachment, '' without one
    length: int


@dataclass(frozen=True, slots=True)
class StoredText:
    """In a list, `data` is empty. `length`: characters."""

    text_id: int
    created_by: int | None
    name: str
    description: str
    data: str
    type: str
    length: int


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """`name`: of its queries, with an s of its list. `columns`: what a client may write, as the queries take it."""

    name: str
    row: type[T_co]
    columns: tuple[str, ...]
    filters: Filters


DOCUMENTS = Kind("document", StoredDocument, ("name", "description", "quality"), Filters(
    document_id=exact_number("id"), name=contains("name"), type=contains("type"), description=contains("description")))
RECORDINGS = Kind("recording", StoredRecording, ("name", "description"), Filters(
    recording_id=exact_number("id"), name=contains("name"), type=contains("'wav'"),
    description=contains("description")))
TEMPLATES = Kind("template", StoredTemplate, ("name", "description", "subject", "body", "body_alt", "type"), Filters(
    template_id=exact_number("id"), name=contains("name"), type=contains("type"), description=contains("description"),
    subject=contains("subject"), body=contains("body"), body_alt=contains("body_alt")))
TEXTS = Kind("text", StoredText, ("name", "description", "data", "type"), Filters(
    text_id=exact_number("id"), name=contains("name"), type=contains("type"), description=contains("description")))


@dataclass(frozen=True, slots=True)
class Media:
    """A file, and what it is: its ending; of a template its content type."""

    content: bytes
    type: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Which:
    """One message of an organisation, if that user sees it (None: everybody's are seen)."""

    organisation_id: int
    seen_by: int | None
    message_id: int


class PostgresMessages(Statements):
    NAME = "messages"

    async def page(self, kind: Kind[T], organisation_id: int, wanted: Wanted) -> Sequence[T]:
        async with self._connection() as connection:
            rows = await connection.fetch(*kind.filters.applied(
                self._sql[f"{kind.name}s"], [organisation_id], wanted))
        return [kind.row(*row) for row in rows]

    async def message(self, kind: Kind[T], which: Which) -> T | None:
        row = await self._row(kind.name, *_of(which))
        return None if row is None else kind.row(*row)

    async def create(self, kind: Kind[T], organisation_id: int, created_by: int, **values: Any) -> int:
        row = await self._row(
            f"create_{kind.name}", organisation_id, created_by, *(values.get(it) for it in kind.columns))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        message_id: int = row["id"]
        return message_id

    async def update(self, kind: Kind[T], which: Which, **values: Any) -> T | None:
        """What is not among the values stays."""
        row = await self._row(f"update_{kind.name}", *_of(which), *(values.get(it) for it in kind.columns))
        return None if row is None else kind.row(*row)

    async def delete(self, kind: Kind[T], which: Which) -> bool:
        return await self._row(f"delete_{kind.name}", *_of(which)) is not None

    async def delete_recording(self, which: Which) -> bool:
        """Raises RecordingInUse."""
        async with self._connection() as connection, connection.transaction():
            await self._lock_recording(connection, which)
            return await connection.fetchrow(self._sql["delete_recording"], *_of(which)) is not None

    # --- files

    async def media(self, kind: Kind[T], which: Which) -> Media | None:
        """None: no such message, or it has no file."""
        async with acquired(self._pool, AUDIO_TIMEOUT_S) as connection:
            row = await connection.fetchrow(self._sql[f"{kind.name}_media"], *_of(which), timeout=AUDIO_TIMEOUT_S)
        return None if row is None or row["media"] is None else Media(row["media"], row["type"])

    async def save_document(self, which: Which, media: Media, pages: int, width: int, height: int,
                            still: str | None = None) -> bool:
        """`still`: only if this is (`Media.digest`, '' without one) what it has; else False."""
        return await self._save("document", which, media.content, media.type, pages, width, height, still)

    async def save_template(self, which: Which, media: Media, ending: str | None) -> bool:
        return await self._save("template", which, media.content, media.type, ending)

    async def save_recording(self, which: Which, audio: bytes, duration_ms: int) -> bool:
        """Raises RecordingInUse."""
        digest = hashlib.sha256(audio).hexdigest()
        async with acquired(self._pool, AUDIO_TIMEOUT_S) as connection, connection.transaction():
            await self._lock_recording(connection, which)
            return await connection.fetchrow(self._sql["save_recording_media"], *_of(which), audio, digest,
                                             duration_ms, timeout=AUDIO_TIMEOUT_S) is not None

    async def _save(self, name: str, which: Which, *values: Any) -> bool:
        async with acquired(self._pool, AUDIO_TIMEOUT_S) as connection:
            return await connection.fetchrow(self._sql[f"save_{name}_media"], *_of(which), *values,
                                             timeout=AUDIO_TIMEOUT_S) is not None

    async def _lock_recording(self, connection: Connection, which: Which) -> None:
        if await connection.fetchrow(self._sql["lock_recording"], *_of(which)) is None:
            return
        using = await connection.fetch(self._sql["alarms_with_recording"], which.organisation_id, which.message_id)
        if using:
            raise RecordingInUse([row["id"] for row in using])


def _of(which: Which) -> tuple[int, int | None, int]:
    return which.organisation_id, which.seen_by, which.message_id
