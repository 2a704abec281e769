"""The ICTCore API as a whole: its modules and their stores. Mounted by `api/app.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from api.errors import STYLES
from api.ictcore import (
    accounts,
    authenticate,
    campaigns,
    contacts,
    documents,
    group_csv,
    groups,
    programs,
    providers,
    recordings,
    roles,
    schedules,
    spools,
    statistics,
    templates,
    texts,
    transmissions,
    users,
)
from api.ictcore.access import Access
from api.ictcore.door import Door
from api.ictcore.frame import routes
from api.ictcore.log_ins import LogIns
from api.ictcore.pdf import Pdfs
from api.ictcore.recordings import TelephoneSound
from api.ictcore.tokens import Tokens
from api.ictcore.transmission_fields import Stores
from api.openapi import document
from api.ringward.frame import Base
from api.typed_routes import SERVICES
from engine.settings import Settings
from engine.store.campaigns import PostgresCampaigns
from engine.store.contact_import import PostgresContactImport
from engine.store.ictcore_access import IctcoreAccess
from engine.store.ictcore_accounts import IctcoreAccounts
from engine.store.ictcore_people import IctcorePeople
from engine.store.ictcore_roles import IctcoreRoles
from engine.store.ictcore_users import IctcoreUsers
from engine.store.idempotency import Idempotency
from engine.store.messages import PostgresMessages
from engine.store.programs import PostgresPrograms
from engine.store.providers import IctcoreProviders
from engine.store.schedules import PostgresSchedules
from engine.store.spools import PostgresSpools
from engine.store.statements import Statements
from engine.store.transmissions import PostgresTransmissions

DESCRIPTION = """The ICTCore API: programs, transmissions, contacts, messages, accounts and users.

Log in by `POST /ictcore/authenticate` and send the token as `Authorization: Bearer …`, or the guide's `Authentication`
header; name and password also go as Basic. Answers are JSON with `Accept: application/json`, and the same text as
text/plain without. Numbers may be sent as text and texts as numbers; what a PUT does not name stays. The guide's paths
also work below `/ictcore/api`, and those of messages without `/messages`."""
SECURITY: Mapping[str, Mapping[str, str]] = {
    "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "Basic": {"type": "http", "scheme": "basic"},
    "Authentication": {"type": "apiKey", "in": "header", "name": "Authentication"}}

# each registers its operations when it is imported
RESOURCES = (
    authenticate, users, accounts, roles, contacts, groups, group_csv, documents, recordings, templates, texts,
    programs, transmissions, spools, statistics, campaigns, schedules, providers)
STORES: Sequence[type[Statements]] = (
    IctcoreAccess, Idempotency, IctcoreUsers, IctcoreAccounts, IctcoreRoles, IctcorePeople, PostgresContactImport,
    PostgresMessages, PostgresPrograms, PostgresTransmissions, PostgresSpools, PostgresCampaigns, PostgresSchedules,
    IctcoreProviders)


def install(app: web.Application, base: Base) -> None:
    services = app[SERVICES]
    for store in STORES:
        services.setdefault(store, store(base.pool, base.deadline_s))
    access = services[IctcoreAccess]
    services[Settings] = base.settings
    services[Access] = Access(access, Tokens(access), LogIns())
    services[Pdfs], services[TelephoneSound] = Pdfs(), TelephoneSound()
    services[Stores] = Stores(*(services[it] for it in (
        PostgresTransmissions, PostgresPrograms, IctcorePeople, IctcoreAccounts)))
    app[STYLES][routes.prefix] = routes.style
    app.add_routes(Door(routes.operations, services[Access], base.settings.ictcore_origins.split()).routes())


def openapi() -> dict[str, Any]:
    return document(routes, "ICTCore API", "1.0.0", DESCRIPTION, SECURITY)
