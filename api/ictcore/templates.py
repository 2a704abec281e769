"""`/messages/templates`: e-mails with one attachment. They are kept; sending comes with the e-mail service."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from api.ictcore.fields import Body, Description, Line, Name, OneLine, Text
from api.ictcore.frame import Call, found, routes
from api.ictcore.media import LARGEST, download, ending, media_of, told_type, which
from api.json_body import ANY
from engine.store.messages import TEMPLATES, Media, PostgresMessages, StoredTemplate

PATH = "/messages/templates"
ALSO = "/templates"
ITEM = "/{template_id}"
MEDIA = ITEM + "/media"
TAG = "templates"
WHAT = "Template"
LIMIT = 1024 * 1024     # bytes of one as JSON
Subject = Annotated[Line, Field(max_length=255)]
Type = Annotated[OneLine, Field(max_length=32, description="the ending of a file's name")]


class TemplatePost(Body):
    name: Name
    subject: Subject
    body: Annotated[Text, Field(min_length=1, description="HTML")]
    body_alt: Annotated[Text, Field(description="the same as plain text")] = ""
    description: Description = ""
    type: Type = ""


class TemplatePut(Body):
    name: Name | None = None
    subject: Subject | None = None
    body: Annotated[Text, Field(min_length=1, description="HTML")] | None = None
    body_alt: Text | None = None
    description: Description | None = None
    type: Type | None = None


class TemplateId(BaseModel):
    template_id: int


class TemplateRow(TemplateId):
    name: str
    subject: str
    type: str
    length: Annotated[int, Field(description="bytes of subject, bodies and attachment")]
    description: str


class Template(TemplateRow):
    body: str
    body_alt: str
    attachment: Annotated[str, Field(description="its file's name; empty without one")]
    user_id: int | None


@routes.on("POST", PATH, 412, permission="template_create", tag=TAG, also=(ALSO,), limit=LIMIT, creates="template_id")
async def create_template(call: Call, body: TemplatePost, messages: PostgresMessages) -> int:
    """Make a template."""
    return await messages.create(TEMPLATES, call.organisation_id, call.user_id, **body.given())


@routes.on("GET", PATH, permission="template_list", tag=TAG, also=(ALSO,))
async def list_templates(call: Call, messages: PostgresMessages) -> list[TemplateRow]:
    """Filters: template_id; name, type, description, subject, body, body_alt (contain it); user_id, before, after."""
    rows = await messages.page(TEMPLATES, call.organisation_id, call.wanted("template"))
    return [_template(row) for row in rows]


@routes.on("GET", PATH + ITEM, 404, permission="template_read", tag=TAG, also=(ALSO + ITEM,))
async def get_template(call: Call, template_id: int, messages: PostgresMessages) -> Template:
    """A template, without its attachment."""
    return _template(found(await messages.message(TEMPLATES, which(call, "template", template_id)), WHAT))


@routes.on("PUT", PATH + ITEM, 404, 412, permission="template_update", tag=TAG, also=(ALSO + ITEM,), limit=LIMIT)
async def update_template(call: Call, template_id: int, body: TemplatePut, messages: PostgresMessages) -> Template:
    """Change what it says; what is not given stays."""
    changed = await messages.update(TEMPLATES, which(call, "template", template_id), **body.given())
    return _template(found(changed, WHAT))


@routes.on("DELETE", PATH + ITEM, 404, permission="template_delete", tag=TAG, also=(ALSO + ITEM,))
async def delete_template(call: Call, template_id: int, messages: PostgresMessages) -> None:
    """Remove a template and its attachment."""
    found(await messages.delete(TEMPLATES, which(call, "template", template_id)) or None, WHAT)


@routes.on("POST", PATH + MEDIA, 404, 411, 413, 415, permission="template_create", tag=TAG, also=(ALSO + MEDIA,),
           consumes=(ANY,), limit=LARGEST)
@routes.on("PUT", PATH + MEDIA, 404, 411, 413, 415, permission="template_create", tag=TAG, also=(ALSO + MEDIA,),
           consumes=(ANY,), limit=LARGEST)
async def put_template_media(call: Call, template_id: int, body: bytes, request: web.Request,
                             messages: PostgresMessages) -> TemplateId:
    """Upload its attachment, a file of any type and at most 20 MB. One that it has is replaced."""
    one = which(call, "template", template_id)
    found(await messages.message(TEMPLATES, one), WHAT)
    media = Media(body, told_type(request))
    found(await messages.save_template(one, media, ending(media.type) or None) or None, WHAT)
    return TemplateId(template_id=template_id)


@routes.on("GET", PATH + MEDIA, 404, permission="template_read", tag=TAG, also=(ALSO + MEDIA,),
           produces="application/octet-stream")
async def get_template_media(call: Call, template_id: int, messages: PostgresMessages) -> web.StreamResponse:
    """Its attachment, as it was uploaded and with the type that was said then."""
    media = media_of(await messages.media(TEMPLATES, which(call, "template", template_id)), WHAT)
    return download(media.content, media.type, f"template_{template_id}.{ending(media.type) or 'bin'}")


def _template(row: StoredTemplate) -> Template:
    attachment = f"template_{row.template_id}.{ending(row.media_type) or 'bin'}" if row.media_type else ""
    return Template(
        template_id=row.template_id, name=row.name, subject=row.subject, body=row.body, body_alt=row.body_alt,
        description=row.description, type=row.type, length=row.length, attachment=attachment, user_id=row.created_by)
