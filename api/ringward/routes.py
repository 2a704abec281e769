"""Ringward's own API as a whole: its modules, its routes, its document. Mounted by `api/app.py`."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from api.errors import STYLES
from api.openapi import document
from api.ringward import alarms, campaigns, directory, dnc_lists, events, webhook_deliveries, webhooks
from api.ringward.frame import Base, Install, routes

DESCRIPTION = """Ringward's own API: alarms, the directory they ring, webhooks and live events.

Place the API token of your organization in the header `API-TOKEN`, or your Personal Access Token in the header
`Personal-Access-Token`; either suffices. Ids of another organization do not exist for you. Errors are problem details
(RFC 9457): 400 when something is malformed, 409 for a conflict, 422 when a rule forbids it; `errors` names the fields.
Times are RFC 3339 in UTC, phone numbers leave as E.164 with a plus."""

# Each module registers its operations on `frame.routes` when it is imported; here stands what makes its services.
INSTALLS: Sequence[Install] = (
    alarms.install, events.install, directory.install, campaigns.install, dnc_lists.install,
    webhooks.install, webhook_deliveries.install)


def install(app: web.Application, base: Base) -> None:
    app[STYLES][routes.prefix] = routes.style
    app.add_routes(routes)
    for it in INSTALLS:
        it(app, base)


def openapi() -> dict[str, Any]:
    return document(routes, "Ringward API", "1.0.0", DESCRIPTION)
