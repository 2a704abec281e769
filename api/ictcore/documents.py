"""`/messages/documents`: what faxes send. A file is kept as it came; as a fax it will be sent as TIFF (G3)."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from api.errors import ApiError
from api.ictcore.fields import Body, Description, Name
from api.ictcore.frame import Call, failed, found, routes
from api.ictcore.media import LARGEST, download, media_of, which
from api.ictcore.pdf import Pages, Pdfs, Unreadable
from api.ictcore.pictures import NoPicture, picture
from engine.store.messages import DOCUMENTS, Media, PostgresMessages, StoredDocument, Which

PATH = "/messages/documents"
ALSO = "/documents"
ITEM = "/{document_id}"
MEDIA = ITEM + "/media"
TAG = "documents"
WHAT = "Document"
# the endings of what is taken, and the type as which each is told
ENDINGS = {"application/pdf": "pdf", "image/tiff": "tif", "image/x-tiff": "tif", "image/png": "png",
           "image/jpeg": "jpg"}
TYPES = {"pdf": "application/pdf", "tif": "image/tiff", "png": "image/png", "jpg": "image/jpeg"}
RESOLUTIONS = {"basic": (100, 98), "standard": (204, 98), "fine": (204, 196), "super": (204, 391),
               "superior": (300, 300), "ultra": (408, 391)}
Quality = Literal["basic", "standard", "fine", "super", "superior", "ultra"]


class DocumentPost(Body):
    name: Name
    description: Description = ""
    quality: Quality = "standard"


class DocumentPut(Body):
    name: Name | None = None
    description: Description | None = None
    quality: Quality | None = None


class DocumentId(BaseModel):
    document_id: int


class DocumentRow(DocumentId):
    name: str
    file_name: str
    type: Annotated[str, Field(description="pdf, tif, png or jpg; empty while there is no file")]
    pages: int
    description: str


class Document(DocumentRow):
    size_x: Annotated[int, Field(description="width of the first page: points of a PDF, dots of a picture")]
    size_y: int
    quality: str
    resolution_x: int
    resolution_y: int
    ocr: Annotated[str, Field(description="always empty: texts are not read out of documents")] = ""
    user_id: int | None


@routes.creates("document_id", PATH, 412, permission="document_create", tag=TAG, also=(ALSO,))
async def create_document(call: Call, body: DocumentPost, messages: PostgresMessages) -> int:
    """Make a document. Its file is uploaded then, by `PUT …/media`."""
    return await messages.create(DOCUMENTS, call.organisation_id, call.user_id, **body.given())


@routes.on("GET", PATH, permission="document_list", tag=TAG, also=(ALSO,))
async def list_documents(call: Call, messages: PostgresMessages) -> list[DocumentRow]:
    """Filters: document_id; name, type, description (contain it); user_id, before, after."""
    rows = await messages.page(DOCUMENTS, call.organisation_id, call.wanted("document"))
    return [_document(row) for row in rows]


@routes.on("GET", PATH + ITEM, 404, permission="document_read", tag=TAG, also=(ALSO + ITEM,))
async def get_document(call: Call, document_id: int, messages: PostgresMessages) -> Document:
    """What is known of a document."""
    return _document(found(await messages.message(DOCUMENTS, which(call, "document", document_id)), WHAT))


@routes.on("PUT", PATH + ITEM, 404, 412, permission="document_update", tag=TAG, also=(ALSO + ITEM,))
async def update_document(call: Call, document_id: int, body: DocumentPut, messages: PostgresMessages) -> Document:
    """Change its name, description or quality; what is not given stays."""
    changed = await messages.update(DOCUMENTS, which(call, "document", document_id), **body.given())
    return _document(found(changed, WHAT))


@routes.on("DELETE", PATH + ITEM, 404, permission="document_delete", tag=TAG, also=(ALSO + ITEM,))
async def delete_document(call: Call, document_id: int, messages: PostgresMessages) -> None:
    """Remove a document and its file."""
    found(await messages.delete(DOCUMENTS, which(call, "document", document_id)) or None, WHAT)


@routes.on("PUT", PATH + MEDIA, 404, 411, 412, 413, 415, permission="document_create", tag=TAG, also=(ALSO + MEDIA,),
           consumes=tuple(ENDINGS), limit=LARGEST)
async def put_document_media(call: Call, document_id: int, body: bytes, request: web.Request,
                             messages: PostgresMessages, pdfs: Pdfs) -> DocumentId:
    """Upload its file, of at most 20 MB: PDF, TIFF, PNG or JPEG. One that it has is replaced."""
    one = which(call, "document", document_id)
    found(await messages.message(DOCUMENTS, one), WHAT)
    return await _save(one, Media(body, ENDINGS[request.content_type]), messages, pdfs)


@routes.on("POST", PATH + MEDIA, 404, 411, 412, 413, 415, 423, permission="document_create", tag=TAG,
           also=(ALSO + MEDIA,), consumes=tuple(ENDINGS), limit=LARGEST)
async def append_document_media(call: Call, document_id: int, body: bytes, request: web.Request,
                                messages: PostgresMessages, pdfs: Pdfs) -> DocumentId:
    """Upload its file, or more pages for it: a PDF behind a PDF."""
    one = which(call, "document", document_id)
    found(await messages.message(DOCUMENTS, one), WHAT)
    before, given = await messages.media(DOCUMENTS, one), Media(body, ENDINGS[request.content_type])
    if before is None:
        return await _save(one, given, messages, pdfs, "")
    return await _save(one, await _joined(before, given, pdfs), messages, pdfs, before.digest)


@routes.on("GET", PATH + MEDIA, 404, permission="document_read", tag=TAG, also=(ALSO + MEDIA,),
           produces="application/pdf")
async def get_document_media(call: Call, document_id: int, messages: PostgresMessages) -> web.StreamResponse:
    """Its file as it was uploaded."""
    media = media_of(await messages.media(DOCUMENTS, which(call, "document", document_id)), WHAT)
    return download(media.content, TYPES[media.type], f"document_{document_id}.{media.type}")


async def _save(one: Which, media: Media, messages: PostgresMessages, pdfs: Pdfs,
                still: str | None = None) -> DocumentId:
    """`still`: the digest of what it must have had until now. Raises ApiError 423 for what another one changed."""
    pages = await _pages(media, pdfs)
    if not await messages.save_document(one, media, pages.pages, pages.width, pages.height, still):
        found(await messages.message(DOCUMENTS, one), WHAT)
        raise ApiError(423, "another upload changed the document at this moment")
    return DocumentId(document_id=one.message_id)


async def _joined(before: Media, given: Media, pdfs: Pdfs) -> Media:
    if (before.type, given.type) != ("pdf", "pdf"):
        raise ApiError(415, "body: more pages can be added to a PDF alone, as a PDF")
    try:
        joined = await pdfs.joined(before.content, given.content)
    except Unreadable:
        raise failed("media", "not a PDF that can be read") from None
    if len(joined) > LARGEST:
        raise ApiError(413, "with these pages the document is too large")
    return Media(joined, "pdf")


async def _pages(media: Media, pdfs: Pdfs) -> Pages:
    """Raises ApiError 412 for what is not what it says, or cannot be read."""
    try:
        if media.type == "pdf":
            return await pdfs.pages(media.content)
        it = picture(media.content)
    except Unreadable:
        raise failed("media", "not a PDF that can be read") from None
    except NoPicture as error:
        raise failed("media", str(error)) from None
    if it.type != media.type:
        raise failed("media", f"it is {TYPES[it.type]}")
    return Pages(pages=it.pages, width=it.width, height=it.height)


def _document(row: StoredDocument) -> Document:
    resolution_x, resolution_y = RESOLUTIONS[row.quality]
    return Document(
        document_id=row.document_id, name=row.name, description=row.description, type=row.type, pages=row.pages,
        file_name=f"document_{row.document_id}.{row.type}" if row.type else "", size_x=row.width, size_y=row.height,
        quality=row.quality, resolution_x=resolution_x, resolution_y=resolution_y, user_id=row.created_by)
