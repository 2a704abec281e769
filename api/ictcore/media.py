"""The files of messages: how large they may be, and how they are told. Used by `documents.py` and the like."""

import re
from mimetypes import MimeTypes

from aiohttp import web

from api.errors import ApiError
from api.ictcore.frame import Call, found
from engine.store.messages import Media, Which

LARGEST = 20 * 1024 * 1024      # bytes
TYPES = MimeTypes(filenames=())  # the same on every machine
_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_CHARSET = re.compile(r"[\w.:+-]{1,40}", re.ASCII)
_ODD = re.compile(r"[^\w.-]", re.ASCII)


def which(call: Call, kind: str, message_id: int) -> Which:
    """This message, if the caller sees it."""
    return Which(call.organisation_id, call.seen_by(kind), message_id)


def media_of(media: Media | None, what: str) -> Media:
    """Raises ApiError 404."""
    return found(media, f"{what} media")


def download(content: bytes, content_type: str, name: str) -> web.Response:
    """As a file: no browser opens what a stranger uploaded as a page of this server."""
    return web.Response(body=content, headers={
        "Content-Type": content_type, "Content-Disposition": f'attachment; filename="{_ODD.sub("_", name)}"',
        "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"})


def told_type(request: web.Request) -> str:
    """The type of a body, with its charset. Raises ApiError 415 for one that cannot be told again."""
    if not _TYPE.fullmatch(request.content_type):
        raise ApiError(415, "body: its content type is none")
    charset = request.charset
    return request.content_type + (f"; charset={charset}" if charset and _CHARSET.fullmatch(charset) else "")


def ending(content_type: str) -> str:
    """The usual one of a type of files, without a dot; '' of one that is not known."""
    return (TYPES.guess_extension(content_type.partition(";")[0]) or "").removeprefix(".")
