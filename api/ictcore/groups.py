"""`/groups`: the directory's contact groups, which alarms ring. Users see their own, `group_admin` everybody's."""

from dataclasses import asdict

from pydantic import BaseModel

from api.ictcore.contact_fields import Contact
from api.ictcore.fields import Body, Description, Name
from api.ictcore.frame import Call, failed, found, routes
from engine.store.filters import Wanted
from engine.store.ictcore_people import IctcoreGroup, IctcorePeople

TAG = "groups"


class GroupBody(Body):
    name: Name | None = None
    description: Description = ""


class Group(BaseModel):
    """`id` and `group_id` are the same."""

    id: int
    group_id: int
    name: str
    description: str
    contact_total: int


@routes.creates("group_id", "/groups", 412, permission="group_create", tag=TAG)
async def create_group(call: Call, body: GroupBody, people: IctcorePeople) -> int:
    """Make a group without contacts."""
    if body.name is None:
        raise failed("name", "is needed")
    return await people.create_group(call.organisation_id, call.user_id, body.name, body.description)


@routes.on("GET", "/groups", permission="group_list", tag=TAG)
async def list_groups(call: Call, people: IctcorePeople) -> list[Group]:
    """Filters: group_id; name by a part."""
    return [_group(it) for it in await people.groups(call.organisation_id, call.wanted("group"))]


@routes.on("GET", "/groups/{group_id}", 404, permission="group_read", tag=TAG)
async def get_group(call: Call, group_id: int, people: IctcorePeople) -> Group:
    return await seen(call, group_id, people)


@routes.on("PUT", "/groups/{group_id}", 404, 412, permission="group_update", tag=TAG)
async def update_group(call: Call, group_id: int, body: GroupBody, people: IctcorePeople) -> Group:
    """Change what stands in the body; who is in the group stays in it."""
    given = body.given()
    await people.update_group(call.organisation_id, group_id, call.seen_by("group"), given.get("name"),
                              given.get("description"))
    return await seen(call, group_id, people)


@routes.on("DELETE", "/groups/{group_id}", 404, permission="group_delete", tag=TAG)
async def delete_group(call: Call, group_id: int, people: IctcorePeople) -> None:
    """Remove a group; its contacts stay. An alarm that was posted before still rings them; campaigns call nobody else.
    """
    found(await people.delete_group(call.organisation_id, group_id, call.seen_by("group")) or None, "Group")


@routes.on("GET", "/groups/{group_id}/contacts", 404, permission="group_read", tag=TAG)
async def list_group_contacts(call: Call, group_id: int, people: IctcorePeople) -> list[Contact]:
    """The contacts of a group, with the filters of `GET /contacts`."""
    call.needs("contact_list")
    await seen(call, group_id, people)
    wanted = call.wanted("contact")
    rows = await people.contacts(
        call.organisation_id, Wanted({**wanted.values, "group_id": str(group_id)}, wanted.seen_by))
    return [Contact(**asdict(it)) for it in rows]


async def seen(call: Call, group_id: int, people: IctcorePeople) -> Group:
    """Raises NotFound, also for a group of somebody else."""
    return _group(found(await people.group(call.organisation_id, group_id, call.seen_by("group")), "Group"))


def _group(row: IctcoreGroup) -> Group:
    return Group(id=row.group_id, **asdict(row))
