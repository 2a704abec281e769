"""`contactgroup`: the directory's groups, which alarms ring and campaigns dial.

A user's rights are those of the ICTCore API: its permissions, his own groups, with `group_admin` everybody's.
"""

import asyncio

from api.sensaphone import mapping
from api.sensaphone.frame import Call, operations
from api.sensaphone.schemas import CreateGroups, DeleteGroups, GroupsResponse, ReadGroups, UpdateGroups
from engine.store.sensaphone_groups import NotMembers, NotThere, SeenBy, SensaphoneGroups


@operations.on("contactgroup", "read")
async def read_groups(call: Call, body: ReadGroups, groups: SensaphoneGroups) -> GroupsResponse:
    """All groups, or some, whole or by their properties."""
    items = body.contactgroup
    call.needs("group_list" if items is None else "group_read")
    ids = None if items is None else mapping.wanted_ids(it.group_id for it in items)
    parts = [it.model_fields_set - {"group_id"} for it in items or ()]
    with_members = items is None or any(not it or it & {"users", "contacts"} for it in parts)
    rows = await groups.groups(call.organisation_id, call.seen_by("group"), ids, with_members)
    # of groups of a million this takes a second
    return {"contactgroup": await asyncio.to_thread(mapping.told_groups, items, rows)}


@operations.on("contactgroup", "create")
async def create_groups(call: Call, body: CreateGroups, groups: SensaphoneGroups) -> GroupsResponse:
    """New groups, with their members if they are given; and, with a group_id, further members of a group."""
    wanted = [mapping.wanted_group(n, it) for n, it in enumerate(body.contactgroup)]
    for it in body.contactgroup:
        call.needs("group_create" if it.group_id is None else "group_update")
    seen = SeenBy(call.seen_by("group"), call.seen_by("contact"), call.seen_by("user"))
    try:
        ids = await groups.create(call.organisation_id, call.user_id, wanted, seen)
    except NotThere as error:
        raise mapping.unknown(body.contactgroup, error) from None
    return {"contactgroup": [mapping.changed_group(*it) for it in zip(ids, wanted, strict=True)]}


@operations.on("contactgroup", "update")
async def update_groups(call: Call, body: UpdateGroups, groups: SensaphoneGroups) -> GroupsResponse:
    """Other names."""
    call.needs("group_update")
    names = {it.group_id: it.name for it in body.contactgroup}
    try:
        await groups.rename(call.organisation_id, names, call.seen_by("group"))
    except NotThere as error:
        raise mapping.unknown(body.contactgroup, error) from None
    return {"contactgroup": [{"group_id": group_id, "name": name} for group_id, name in names.items()]}


@operations.on("contactgroup", "delete")
async def delete_groups(call: Call, body: DeleteGroups, groups: SensaphoneGroups) -> GroupsResponse:
    """Groups; or, where contacts or users are named, these out of their group."""
    gone, leaving = mapping.leaving(body.contactgroup)
    for permission in (["group_delete"] if gone else []) + (["group_update"] if leaving else []):
        call.needs(permission)
    try:
        await groups.delete(call.organisation_id, gone, leaving, call.seen_by("group"))
    except NotThere as error:
        raise mapping.unknown(body.contactgroup, error) from None
    except NotMembers as error:
        raise mapping.not_members(body.contactgroup, error) from None
    return {"contactgroup": []}
