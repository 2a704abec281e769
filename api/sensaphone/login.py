"""`login`: a user's name and password against a session for 24 hours. See `access.py`."""

from aiohttp import web

from api.sensaphone.access import EXPIRATION_S, Sessions
from api.sensaphone.frame import Call, operations
from api.sensaphone.mapping import only
from api.sensaphone.schemas import LogIn, LogInResponse, LogOut, ReadLogIn


@operations.on("login", "create", is_open=True, message="Success")
async def log_in(body: LogIn, request: web.Request, sessions: Sessions) -> LogInResponse:
    """Log in by name or e-mail address. After five wrong passwords a minute the log-in is refused until it is over."""
    session, opened = await sessions.log_in(body.user_name, body.password, request.remote or "")
    return {"acctid": opened.organisation_id, "session": session, "login_timestamp": int(opened.opened_at.timestamp()),
            "session_expiration": EXPIRATION_S, "user_id": opened.user_id}


@operations.on("login", "read")
async def read_log_in(call: Call, body: ReadLogIn) -> LogInResponse:
    """When the session began and how long it lasts."""
    whole: LogInResponse = {
        "acctid": call.organisation_id, "session": call.session, "login_timestamp": call.opened_at,
        "session_expiration": EXPIRATION_S, "user_id": call.user_id}
    return only(whole, body.login.model_fields_set if body.login else ())


@operations.on("login", "delete")
async def log_out(call: Call, body: LogOut, sessions: Sessions) -> LogInResponse:
    """End the session."""
    await sessions.close(call.session)
    return {}
