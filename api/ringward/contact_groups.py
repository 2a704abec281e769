"""`/contact-groups` and their members, contacts and users. Only admins see and keep them."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from api.access import Call
from api.errors import Invalid
from api.fields import Body, Int64, UrlInt
from api.ringward.directory_fields import Description, Name, Resource, at, found
from api.ringward.frame import LOCATION, PREFIX, CursorQuery, IdPath, Listing, listing, routes
from api.typed_routes import Reply
from engine.store.people import Member as StoredMember
from engine.store.people import PostgresPeople, StoredGroup

PATH = "/contact-groups"
MEMBERS = PATH + "/{id}/members"
TAG = "contact-groups"


class GroupBody(Resource):
    name: Name
    description: Description = ""
    memberCount: Annotated[Int64 | None, Field(description="ignored")] = None


class Group(BaseModel):
    id: Int64
    name: str
    description: str
    memberCount: int


class MemberBody(Body):
    """One of the two."""

    contactID: Int64 | None = None
    userID: Int64 | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "MemberBody":
        if (self.contactID is None) == (self.userID is None):
            raise ValueError("either contactID or userID is needed")
        return self


class Member(BaseModel):
    id: Annotated[Int64, Field(description="of the membership")]
    contactID: Int64 | None
    userID: Int64 | None
    name: str


class MemberPath(IdPath):
    memberID: UrlInt


@routes.on("GET", PATH, 403, tag=TAG)
async def list_contact_groups(call: Call, query: CursorQuery, people: PostgresPeople) -> Listing[Group]:
    """The groups of the organization. Only admins may do this."""
    call.as_admin()
    rows = await people.groups(call.organisation_id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.group_id)
    return Listing(items=[_group(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, tag=TAG, statuses=(201,), headers=LOCATION)
async def create_contact_group(call: Call, body: GroupBody, people: PostgresPeople) -> Reply[Group]:
    """Make a group without members. Only admins may do this."""
    call.as_admin()
    made = await people.create_group(call.organisation_id, body.name, body.description)
    return Reply(_group(made), headers=at(PREFIX + PATH, made.group_id))


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_contact_group(call: Call, path: IdPath, people: PostgresPeople) -> Group:
    """One group. Only admins may do this."""
    call.as_admin()
    return _group(found(await people.group(call.organisation_id, path.id), "contact group"))


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG)
async def update_contact_group(call: Call, path: IdPath, body: GroupBody, people: PostgresPeople) -> Group:
    """Change name and description; the members stay. Only admins may do this."""
    call.as_admin()
    changed = await people.replace_group(call.organisation_id, path.id, body.name, body.description)
    return _group(found(changed, "contact group"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, tag=TAG)
async def delete_contact_group(call: Call, path: IdPath, people: PostgresPeople) -> None:
    """Remove a group; contacts and users stay, and so do the people of alarms posted before. Only admins may do this.

    A campaign that calls it and was started is broken; another one cannot start until it has another group.
    """
    call.as_admin()
    found(await people.delete_group(call.organisation_id, path.id) or None, "contact group")


@routes.on("GET", MEMBERS, 403, 404, tag=TAG)
async def list_members(call: Call, path: IdPath, query: CursorQuery, people: PostgresPeople) -> Listing[Member]:
    """The members of a group as they joined. Only admins may do this."""
    call.as_admin()
    rows = await people.members(call.organisation_id, path.id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(found(rows, "contact group"), query.limit, lambda row: row.member_id)
    return Listing(items=[_member(row) for row in page], nextCursor=cursor)


@routes.on("POST", MEMBERS, 403, 404, tag=TAG, statuses=(201, 200), headers=LOCATION)
async def add_member(call: Call, path: IdPath, body: MemberBody, people: PostgresPeople) -> Reply[Member]:
    """Add a contact or a user; 200 for who is a member already. Only admins may do this."""
    call.as_admin()
    found(await people.group(call.organisation_id, path.id), "contact group")
    added = await people.add_member(call.organisation_id, path.id, body.contactID, body.userID)
    if added is None:
        field = "contactID" if body.userID is None else "userID"
        raise Invalid(field, "not of this organization")
    member, is_new = added
    return Reply(_member(member), status=201 if is_new else 200,
                 headers=at(f"{PREFIX}{PATH}/{path.id}/members", member.member_id))


@routes.on("GET", MEMBERS + "/{memberID}", 403, 404, tag=TAG)
async def get_member(call: Call, path: MemberPath, people: PostgresPeople) -> Member:
    """One membership. Only admins may do this."""
    call.as_admin()
    return _member(found(await people.member(call.organisation_id, path.id, path.memberID), "member"))


@routes.on("DELETE", MEMBERS + "/{memberID}", 403, 404, tag=TAG)
async def remove_member(call: Call, path: MemberPath, people: PostgresPeople) -> None:
    """Take a member out of the group; the contact or user stays. Only admins may do this."""
    call.as_admin()
    found(await people.delete_member(call.organisation_id, path.id, path.memberID) or None, "member")


def _group(row: StoredGroup) -> Group:
    return Group(id=row.group_id, name=row.name, description=row.description, memberCount=row.member_count)


def _member(row: StoredMember) -> Member:
    return Member(id=row.member_id, contactID=row.contact_id, userID=row.user_id, name=row.name)
