"""`/messages/texts`: what short messages say. They are kept; sending comes with the SMS service."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.ictcore.fields import Body, Description, Line, Name, Text
from api.ictcore.frame import Call, found, routes
from api.ictcore.media import which
from engine.store.messages import TEXTS, PostgresMessages, StoredText

PATH = "/messages/texts"
ALSO = "/texts"
ITEM = "/{text_id}"
TAG = "texts"
WHAT = "Text"
GSM, BINARY, UNICODE = range(3)
CLASS = 1               # a normal message
Data = Annotated[Text, Field(min_length=1, description="the message itself")]
Type = Annotated[Line, Field(max_length=32, description="unicode, plain, binary, or a character set")]


class TextPost(Body):
    name: Name
    data: Data
    type: Type = "plain"
    description: Description = ""


class TextPut(Body):
    name: Name | None = None
    data: Data | None = None
    type: Type | None = None
    description: Description | None = None


class SmsTextRow(BaseModel):
    text_id: int
    name: str
    type: str
    length: Annotated[int, Field(description="characters")]
    description: str


class SmsText(SmsTextRow):
    data: str
    message_class: Annotated[int, Field(serialization_alias="class")] = CLASS
    encoding: Annotated[int, Field(description="0 GSM, 1 binary, 2 Unicode; follows from the type")]
    user_id: int | None


@routes.creates("text_id", PATH, 412, permission="text_create", tag=TAG, also=(ALSO,))
async def create_text(call: Call, body: TextPost, messages: PostgresMessages) -> int:
    """Make a text."""
    return await messages.create(TEXTS, call.organisation_id, call.user_id, **body.given())


@routes.on("GET", PATH, permission="text_list", tag=TAG, also=(ALSO,))
async def list_texts(call: Call, messages: PostgresMessages) -> list[SmsTextRow]:
    """Filters: text_id; name, type, description (contain it); user_id, before, after."""
    rows = await messages.page(TEXTS, call.organisation_id, call.wanted("text"))
    return [_text(row) for row in rows]


@routes.on("GET", PATH + ITEM, 404, permission="text_read", tag=TAG, also=(ALSO + ITEM,))
async def get_text(call: Call, text_id: int, messages: PostgresMessages) -> SmsText:
    """A text."""
    return _text(found(await messages.message(TEXTS, which(call, "text", text_id)), WHAT))


@routes.on("PUT", PATH + ITEM, 404, 412, permission="text_update", tag=TAG, also=(ALSO + ITEM,))
async def update_text(call: Call, text_id: int, body: TextPut, messages: PostgresMessages) -> SmsText:
    """Change a text; what is not given stays."""
    return _text(found(await messages.update(TEXTS, which(call, "text", text_id), **body.given()), WHAT))


@routes.on("DELETE", PATH + ITEM, 404, permission="text_delete", tag=TAG, also=(ALSO + ITEM,))
async def delete_text(call: Call, text_id: int, messages: PostgresMessages) -> None:
    """Remove a text."""
    found(await messages.delete(TEXTS, which(call, "text", text_id)) or None, WHAT)


def _text(row: StoredText) -> SmsText:
    return SmsText(text_id=row.text_id, name=row.name, type=row.type, length=row.length, description=row.description,
                   data=row.data, encoding=encoding(row.type), user_id=row.created_by)


def encoding(text_type: str) -> int:
    """How a message of this type goes to a phone."""
    name = text_type.lower()
    return BINARY if name == "binary" else UNICODE if name == "unicode" or name.startswith("utf") else GSM
