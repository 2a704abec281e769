"""Groups, contacts and users: the Sensaphone.net API's words to ours and back. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from api.errors import Invalid
from api.phone_numbers import e164
from api.sensaphone.results import Code, Failure, missing
from api.sensaphone.schemas import (
    Contact,
    ContactToCreate,
    Group,
    GroupToCreate,
    GroupToDelete,
    GroupToUpdate,
    GroupWanted,
    User,
)
from engine.store.ictcore_people import ContactChanges
from engine.store.sensaphone_groups import Members, NewGroup, NotMembers, NotThere, StoredGroup
from engine.store.sensaphone_people import StoredContact, StoredUser

Item = GroupToCreate | GroupToDelete | GroupToUpdate
T = TypeVar("T", bound=Mapping[str, Any])


# --- what is asked of groups

def wanted_group(n: int, item: GroupToCreate) -> NewGroup | Members:
    """Raises Invalid for what is missing, or does not fit together."""
    contacts, users = _people(item)
    if item.group_id is None:
        if item.name is None:
            raise Invalid(f"contactgroup[{n}].name", "is required for a new group")
        return NewGroup(item.name, contacts, users)
    if item.name is not None:
        raise Invalid(f"contactgroup[{n}].name", "does not go with group_id: a group is renamed by update")
    if not contacts and not users:
        raise Invalid(f"contactgroup[{n}].contacts", "or users: somebody to be added is required")
    return Members(item.group_id, contacts, users)


def leaving(items: Sequence[GroupToDelete]) -> tuple[Sequence[int], Sequence[Members]]:
    """Groups that are to go, and members that are to leave others."""
    groups = [it.group_id for it in items if it.contacts is None and it.users is None]
    return groups, [Members(it.group_id, *_people(it)) for it in items if it.group_id not in groups]


def _people(item: GroupToCreate | GroupToDelete) -> tuple[Sequence[int], Sequence[int]]:
    return [it.contact_id for it in item.contacts or ()], [it.user_id for it in item.users or ()]


def unknown(items: Sequence[Item] | Sequence[GroupWanted], error: NotThere) -> Failure:
    """The first member of the request that names somebody or something that is not there."""
    for n, item in enumerate(items):
        if error.kind == "group" and item.group_id in error.ids:
            return missing(f"contactgroup[{n}].group_id", item.group_id or 0, "group")
        for m, one in enumerate(getattr(item, f"{error.kind}s", None) or ()):
            row_id: int = getattr(one, f"{error.kind}_id")
            if row_id in error.ids:
                return missing(f"contactgroup[{n}].{error.kind}s[{m}].{error.kind}_id", row_id, error.kind)
    return Failure(Code.NOT_FOUND, f"group_id: there is no {error.kind} of this id")


def not_members(items: Sequence[GroupToDelete], error: NotMembers) -> Failure:
    for n, item in enumerate(items):
        contacts, users = _people(item)
        for kind, ids, wrong in (("contact", contacts, error.contacts), ("user", users, error.users)):
            for m, one in enumerate(ids):
                if (item.group_id, one) in wrong:
                    return Failure(Code.NOT_FOUND, (
                        f"contactgroup[{n}].{kind}s[{m}].{kind}_id: {kind} {one} is not in group {item.group_id}"))
    raise error


# --- what is told of groups

def told_groups(items: Sequence[GroupWanted] | None, rows: Sequence[StoredGroup]) -> list[Group]:
    """As they are asked for. Raises Failure for one that is not there."""
    if items is None:
        return [group(row) for row in rows]
    by_id = {row.group_id: row for row in rows}
    if gone := {it.group_id for it in items if it.group_id is not None} - by_id.keys():
        raise unknown(items, NotThere("group", (it for it in gone if it is not None)))
    found: list[Group] = []
    for it in items:
        parts = it.model_fields_set - {"group_id"}
        found += [group(row, parts) for row in ([by_id[it.group_id]] if it.group_id is not None else rows)]
    return found


def group(row: StoredGroup, parts: Collection[str] = ()) -> Group:
    """The whole of it, or these properties."""
    told: Group = {"group_id": row.group_id}
    if not parts or "name" in parts:
        told["name"] = row.name
    if not parts or "users" in parts:
        told["users"] = [{"user_id": it} for it in row.user_ids]
    if not parts or "contacts" in parts:
        told["contacts"] = [{"contact_id": it} for it in row.contact_ids]
    return told


def changed_group(group_id: int, wanted: NewGroup | Members) -> Group:
    """What a create made, or added."""
    if isinstance(wanted, NewGroup):
        return group(StoredGroup(group_id, wanted.name, list(dict.fromkeys(wanted.user_ids)),
                                 list(dict.fromkeys(wanted.contact_ids))))
    parts = [name for name, ids in (("users", wanted.user_ids), ("contacts", wanted.contact_ids)) if ids]
    return group(StoredGroup(group_id, "", wanted.user_ids, wanted.contact_ids), parts)


# --- contacts and users

def contact_data(n: int, item: ContactToCreate, country: str) -> ContactChanges:
    """Raises Invalid."""
    field, text = f"contact[{n}].destination", item.destination.strip()
    is_email = "@" in text if item.type is None else item.type == "email"
    if not is_email:
        return ContactChanges(phone=text, number=e164(text, country, field), description=item.description)
    name, _, host = text.rpartition("@")
    if not name or not host or " " in text:
        raise Invalid(field, "must be an e-mail address")
    return ContactChanges(email=text, description=item.description)


def contact(row: StoredContact) -> Contact:
    """A contact that another API gave a name, and no description, is described by its name."""
    return {
        "contact_id": row.contact_id, "destination": row.phone or row.email,
        "type": "email" if row.email and not row.phone else "voice", "description": row.description or row.name,
        "enable": True}


def user(row: StoredUser) -> User:
    return {"user_id": row.user_id, "name": row.name, "enable": row.is_active}


def told_people(resource: str, items: Sequence[BaseModel] | None, told: Sequence[T]) -> list[T]:
    """Contacts or users as they are asked for. Raises Failure for one that is not there."""
    row_id = f"{resource}_id"
    if items is None:
        return list(told)
    by_id: Mapping[int, T] = {it[row_id]: it for it in told}
    found: list[T] = []
    for n, item in enumerate(items):
        wanted = getattr(item, row_id)
        if wanted is not None and wanted not in by_id:
            raise missing(f"{resource}[{n}].{row_id}", wanted, resource)
        parts = item.model_fields_set - {row_id}
        found += [only(one, {row_id, *parts} if parts else ()) for one in (told if wanted is None else [by_id[wanted]])]
    return found


def only(whole: T, parts: Collection[str]) -> T:
    """These properties of it; none: the whole."""
    return cast(T, {name: it for name, it in whole.items() if name in parts}) if parts else whole


def wanted_ids(ids: Iterable[int | None]) -> Sequence[int] | None:
    """None: all of them."""
    found = list(ids)
    return None if None in found else sorted({it for it in found if it is not None})
