"""The directory below `/ringward/v1`: brings its resources together and makes their stores. See `routes.INSTALLS`."""

from aiohttp import web

from api.ringward import contact_groups, contacts, numbers, organisations, phones, recordings, users
from api.ringward.frame import Base
from api.typed_routes import SERVICES
from engine.store.numbers import PostgresNumbers
from engine.store.organisations import PostgresOrganisations
from engine.store.people import PostgresPeople
from engine.store.recordings import PostgresRecordings
from engine.store.users import PostgresUsers

# each registers its operations when it is imported
RESOURCES = (organisations, users, phones, contacts, contact_groups, recordings, numbers)
STORES = (PostgresOrganisations, PostgresUsers, PostgresPeople, PostgresRecordings, PostgresNumbers)


def install(app: web.Application, base: Base) -> None:
    for store in STORES:
        app[SERVICES][store] = store(base.pool, base.deadline_s)
