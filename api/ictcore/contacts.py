"""`/contacts` and their links to groups: the directory's contacts. Users see their own, `contact_admin` everybody's."""

from dataclasses import asdict

from api.ictcore.contact_fields import NOBODY, Contact, ContactBody, changes
from api.ictcore.frame import Call, failed, found, routes
from engine.store.ictcore_people import IctcorePeople

TAG = "contacts"
LINK = "/contacts/{contact_id}/link/{group_id}"


@routes.creates("contact_id", "/contacts", 412, permission="contact_create", tag=TAG)
async def create_contact(call: Call, body: ContactBody, people: IctcorePeople) -> int:
    """Make a contact; it has a phone or an e-mail address."""
    if not body.phone.strip() and not body.email:
        raise failed("phone", NOBODY)
    return await people.create_contact(call.organisation_id, call.user_id, changes(call, body))


@routes.on("GET", "/contacts", permission="contact_list", tag=TAG)
async def list_contacts(call: Call, people: IctcorePeople) -> list[Contact]:
    """Filters: contact_id, group_id, email; phone by its end; first_name and last_name by a part."""
    return [Contact(**asdict(it)) for it in await people.contacts(call.organisation_id, call.wanted("contact"))]


@routes.on("GET", "/contacts/{contact_id}", 404, permission="contact_read", tag=TAG)
async def get_contact(call: Call, contact_id: int, people: IctcorePeople) -> Contact:
    return await _contact(call, contact_id, people)


@routes.on("PUT", "/contacts/{contact_id}", 404, 412, permission="contact_update", tag=TAG)
async def update_contact(call: Call, contact_id: int, body: ContactBody, people: IctcorePeople) -> Contact:
    """Change what stands in the body."""
    await _contact(call, contact_id, people)
    changed = await people.update_contact(
        call.organisation_id, contact_id, call.seen_by("contact"), changes(call, body))
    if changed is None:
        raise failed("phone", NOBODY)
    return Contact(**asdict(changed))


@routes.on("DELETE", "/contacts/{contact_id}", 404, permission="contact_delete", tag=TAG)
async def delete_contact(call: Call, contact_id: int, people: IctcorePeople) -> None:
    """Remove a contact, also from its groups. An alarm that was posted before still rings it."""
    found(await people.delete_contact(call.organisation_id, contact_id, call.seen_by("contact")) or None, "Contact")


@routes.on("PUT", LINK, 404, permission="contact_update", tag=TAG)
async def link_contact(call: Call, contact_id: int, group_id: int, people: IctcorePeople) -> Contact:
    """Put a contact into a group; who is in it stays in it."""
    contact = await _linked(call, contact_id, group_id, people)
    await people.link(call.organisation_id, group_id, contact_id)
    return contact


@routes.on("DELETE", LINK, 404, permission="contact_update", tag=TAG)
async def unlink_contact(call: Call, contact_id: int, group_id: int, people: IctcorePeople) -> Contact:
    """Take a contact out of a group."""
    contact = await _linked(call, contact_id, group_id, people)
    await people.unlink(call.organisation_id, group_id, contact_id)
    return contact


async def _contact(call: Call, contact_id: int, people: IctcorePeople) -> Contact:
    row = await people.contact(call.organisation_id, contact_id, call.seen_by("contact"))
    return Contact(**asdict(found(row, "Contact")))


async def _linked(call: Call, contact_id: int, group_id: int, people: IctcorePeople) -> Contact:
    call.needs("group_update")
    contact = await _contact(call, contact_id, people)
    found(await people.group(call.organisation_id, group_id, call.seen_by("group")), "Group")
    return contact


