"""`/authenticate`: a name and a password against a token. See `access.py` and `tokens.py`."""

from typing import Any

from aiohttp import web

from api.ictcore.access import Access
from api.ictcore.fields import Body, Number
from api.ictcore.frame import OPEN, Call, routes
from api.ictcore.tokens import LIFETIME_S
from engine.policy.permissions import grants


class LogIn(Body):
    """A user by his name, e-mail address or id."""

    username: str = ""
    email: str = ""
    user_id: Number | None = None
    password: str = ""


@routes.on("POST", "/authenticate", 401, 423, permission=OPEN, tag="authenticate")
async def authenticate(body: LogIn, request: web.Request, access: Access) -> dict[str, Any]:
    """A token for `Authorization: Bearer`, valid for 360 days, until it is cancelled or the password changes."""
    name = body.username or body.email
    user = await access.log_in(name, body.password, request.remote or "", None if name else body.user_id)
    caller = await access.caller(user.user_id)
    is_admin = caller.is_admin or grants(caller.permissions, "user_create")
    token = await access.tokens.issue(user, is_admin)
    return {"token": token, "token_type": "Bearer", "access_token": token, "expires_in": LIFETIME_S, "scope": "All",
            "user_id": user.user_id, "username": user.username, "is_admin": "1" if is_admin else "0"}


@routes.on("POST", "/authenticate/cancel", 401, permission="", tag="authenticate")
async def cancel(call: Call, request: web.Request, access: Access) -> bool:
    """End the token of this request."""
    if (token := await access.token(request)) is not None:
        await access.cancel(token)
    return True
