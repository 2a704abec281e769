"""Free values under a name, as the settings of an account and the configuration of a user: how one is sent.

`{"value": …}`, `{"data": …}`, or the value itself: JSON, or else text.
"""

import json
import re
from typing import Any

from aiohttp import web

from api.errors import ApiError
from api.ictcore.frame import FORM, failed, found, read_object
from api.json_body import BODY_LIMIT, parse, read_body

LONGEST = 16 * 1024
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,128}")


def checked_name(name: str) -> str:
    """Raises NotFound: a name that none has."""
    return found(name if _NAME.fullmatch(name) else None, "Setting")


async def sent_value(request: web.Request) -> str:
    """As JSON. Raises ApiError 417 when there is none, 412 for one that cannot be kept."""
    value = await _value(request)
    if value is None:
        raise ApiError(417, "no value is given: {\"value\": …}")
    text = json.dumps(value)
    if len(text) > LONGEST or "\\u0000" in text:
        raise failed("value", f"no null characters, {LONGEST} characters at most")
    return text


async def _value(request: web.Request) -> Any:
    if request.content_type == FORM:
        return _named(await read_object(request, BODY_LIMIT))
    body = await read_body(request, BODY_LIMIT)
    if not body.strip():
        return None
    try:
        return _named(parse(body))
    except ApiError:
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise failed("value", "not UTF-8") from None


def _named(sent: Any) -> Any:
    return sent.get("value", sent.get("data")) if isinstance(sent, dict) else sent
