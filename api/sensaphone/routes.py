"""The Sensaphone.net API as a whole: its modules and their stores. Mounted by `api/app.py`, behind the ICTCore API, of
which it has the passwords and permissions."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from api.ictcore.access import Access
from api.ringward.frame import Base
from api.sensaphone import document, groups, login, people
from api.sensaphone.access import Sessions
from api.sensaphone.door import Door
from api.sensaphone.frame import operations
from api.typed_routes import SERVICES
from engine.store.sensaphone_groups import SensaphoneGroups
from engine.store.sensaphone_people import SensaphonePeople
from engine.store.sensaphone_sessions import SensaphoneSessions
from engine.store.statements import Statements

# each registers its operations when it is imported
RESOURCES = (login, groups, people)
STORES: Sequence[type[Statements]] = (SensaphoneSessions, SensaphoneGroups, SensaphonePeople)


def install(app: web.Application, base: Base) -> None:
    services = app[SERVICES]
    for store in STORES:
        services[store] = store(base.pool, base.deadline_s)
    services[Sessions] = Sessions(services[SensaphoneSessions], services[Access])
    app.add_routes(Door(operations, services[Sessions]).routes())


def openapi() -> dict[str, Any]:
    return document.openapi(operations)
