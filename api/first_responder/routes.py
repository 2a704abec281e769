"""The First Responder API's operations. Ids of another organisation in a path are not there (404)."""

from typing import TypeVar

from api.access import Call
from api.errors import Invalid, NotFound
from api.first_responder import mapping
from api.first_responder.schemas import (
    Acknowledgement,
    AdminQuery,
    AgentPhone,
    AgentPhoneBody,
    AgentsQuery,
    CallLogDetail,
    CallLogList,
    Hotline,
    HotlineBody,
    HotlineList,
    HotlinePath,
    HotlinesQuery,
    IdPath,
    LogPath,
    OrganisationPath,
    Page,
    SipCustomerBody,
    SipCustomerState,
    TelephoneRecordList,
)
from api.typed_routes import Routes
from engine.store.directory_port import PhoneData, StoredHotline

T = TypeVar("T")
routes = Routes("/api/v1/first-responder")


@routes.on("GET", "/agents", 403, tag="agent-phones")
async def list_agent_phones(call: Call, query: AgentsQuery) -> list[AgentPhone]:
    """Get a list of all AgentPhones of the given user.

    Admins of organizations may also access this resource if they specify their organizationID and the user allows this
    access.
    """
    await call.manages_phones(query.owner_id, query.organization_id, "owner_id")
    return [mapping.agent_phone(phone) for phone in await call.directory.phones(call.organisation_id, query.owner_id)]


@routes.on("POST", "/agents", 403, tag="agent-phones")
async def create_agent_phone(call: Call, query: AdminQuery, body: AgentPhoneBody) -> AgentPhone:
    """Create a new AgentPhone for the given user.

    Admins of organizations may also create this resource if they specify their organizationID and the user allows this
    access.
    """
    await call.manages_phones(body.userID, query.organization_id, "userID")
    data = mapping.phone_data(body, call.principal.country)
    _check_dialable(call, data)
    return mapping.agent_phone(await call.directory.create_phone(call.organisation_id, data))


@routes.on("PUT", "/agents/{id}", 403, 404, tag="agent-phones")
async def update_agent_phone(call: Call, path: IdPath, query: AdminQuery, body: AgentPhoneBody) -> AgentPhone:
    """Update an existing AgentPhone for the given user.

    Admins of organizations may also edit this resource if they specify their organizationID and the user allows this
    access.
    """
    phone = _found(await call.directory.phone(call.organisation_id, path.id), "AgentPhone")
    for user_id in (phone.user_id, body.userID):
        await call.manages_phones(user_id, query.organization_id, "userID")
    data = mapping.phone_data(body, call.principal.country)
    if data.number != phone.number:
        _check_dialable(call, data)
    changed = await call.directory.replace_phone(call.organisation_id, path.id, data)
    return mapping.agent_phone(_found(changed, "AgentPhone"))


@routes.on("DELETE", "/agents/{id}", 403, 404, tag="agent-phones")
async def delete_agent_phone(call: Call, path: IdPath, query: AdminQuery) -> Acknowledgement:
    """Deletes an existing AgentPhone for the given user.

    Admins of organizations may also delete this resource if the user allows this access.
    """
    phone = _found(await call.directory.phone(call.organisation_id, path.id), "AgentPhone")
    await call.manages_phones(phone.user_id, query.organization_id, "id", as_admin=True)
    _found(await call.directory.delete_phone(call.organisation_id, path.id) or None, "AgentPhone")
    return DELETED


@routes.on("GET", "/hotlines", 403, tag="hotlines")
async def list_hotlines(call: Call, query: HotlinesQuery) -> HotlineList:
    """Get a list of all hotlines of the given organization and their current status.

    This list is paginated, use limit and offset to control the received data.
    """
    call.in_organisation(query.organization_id, "organization_id")
    return mapping.hotline_list(await call.directory.hotlines(call.organisation_id, query.limit, query.offset))


@routes.on("POST", "/hotlines", 403, tag="hotlines")
async def create_hotline(call: Call, body: HotlineBody) -> Hotline:
    """Create a new hotline in the given organization.

    It gets a number of its own at once and is active within seconds of a running engine. The organization needs a
    sip-customer first. Only admins may create hotlines.
    """
    call.in_organisation(body.organizationID, "organizationID")
    call.as_admin()
    return mapping.hotline(await call.directory.create_hotline(call.organisation_id, mapping.hotline_data(body)))


@routes.on("GET", "/hotlines/{hotlineID}", 404, tag="hotlines")
async def get_hotline(call: Call, path: HotlinePath) -> Hotline:
    """Get a specific hotline and its current status."""
    return mapping.hotline(await _hotline(call, path))


@routes.on("PUT", "/hotlines/{hotlineID}", 403, 404, tag="hotlines")
async def update_hotline(call: Call, path: HotlinePath, body: HotlineBody) -> Hotline:
    """Update an existing hotline in the given organization.

    What the body leaves out gets its default. Until new texts are spoken the former are played. Even a paused hotline
    keeps its number. Only admins may update hotlines.
    """
    await _hotline(call, path)
    call.in_organisation(body.organizationID, "organizationID")
    call.as_admin()
    data = mapping.hotline_data(body)
    changed = await call.directory.replace_hotline(call.organisation_id, path.hotlineID, data)
    return mapping.hotline(_found(changed, "hotline"))


@routes.on("DELETE", "/hotlines/{hotlineID}", 403, 404, tag="hotlines")
async def delete_hotline(call: Call, path: HotlinePath) -> Acknowledgement:
    """Deletes an existing hotline in the given organization.

    Its phone number is given up. Only admins may delete hotlines.
    """
    await _hotline(call, path)
    call.as_admin()
    _found(await call.directory.delete_hotline(call.organisation_id, path.hotlineID) or None, "hotline")
    return DELETED


@routes.on("GET", "/hotlines/{hotlineID}/logs", 404, tag="call-logs")
async def list_call_logs(call: Call, path: HotlinePath, query: Page) -> CallLogList:
    """Get a list of all call logs for the given hotlineID, newest first.

    This list is paginated, use limit and offset to control the received data.
    """
    page = await call.directory.call_logs(call.organisation_id, path.hotlineID, query.limit, query.offset)
    return mapping.call_log_list(_found(page, "hotline"))


@routes.on("GET", "/hotlines/{hotlineID}/logs/{logID}", 404, tag="call-logs")
async def get_call_log(call: Call, path: LogPath) -> CallLogDetail:
    """Get a detailed call log for the given hotlineID and logID."""
    log, entries = _found(
        await call.directory.call_log(call.organisation_id, path.hotlineID, path.logID), "call log")
    return CallLogDetail(id=log.log_id, hotlineID=log.hotline_id, startTime=log.start_time,
                         entries=[mapping.entry(row) for row in entries])


@routes.on("GET", "/hotlines/{hotlineID}/records", 404, tag="telephone-records")
async def list_telephone_records(call: Call, path: HotlinePath, query: Page) -> TelephoneRecordList:
    """Get a list of all telephone records for the given hotlineID, newest first.

    This list is paginated, use limit and offset to control the received data.
    """
    page = await call.directory.records(call.organisation_id, path.hotlineID, query.limit, query.offset)
    return mapping.record_list(_found(page, "hotline"))


@routes.on("POST", "/sip-customer", 403, tag="sip-customer")
async def create_sip_customer(call: Call, body: SipCustomerBody) -> SipCustomerState:
    """Create a new sip customer account for an organization. Data will be validated.

    This is a requirement for creating and managing hotlines. Given again it is replaced. Only admins may do this.
    """
    call.in_organisation(body.organizationID, "organizationID")
    call.as_admin()
    await call.directory.save_sip_customer(call.organisation_id, mapping.sip_customer(body))
    return SipCustomerState(exists=True)


@routes.on("GET", "/sip-customer/{id}", 404, tag="sip-customer")
async def get_sip_customer(call: Call, path: OrganisationPath) -> SipCustomerState:
    """Check if the given organizationID is associated with a valid sip customer account.

    This is a requirement for creating and managing hotlines.
    """
    _found(path.id if path.id == call.organisation_id else None, "organization")
    return SipCustomerState(exists=await call.directory.sip_customer(call.organisation_id) is not None)


def _check_dialable(call: Call, data: PhoneData) -> None:
    """Raises Invalid for what is never dialled: a premium-rate number, a satellite, an emergency desk."""
    if (refused := call.never_dials(data.number)) is not None:
        raise Invalid("phone", f"{data.number} is {refused.why}: it is never dialled")


DELETED = Acknowledgement(message="The entry was deleted.", i18nKey="MSG_ENTRY_DELETED_SUCCESSFULLY")


async def _hotline(call: Call, path: HotlinePath) -> StoredHotline:
    return _found(await call.directory.hotline(call.organisation_id, path.hotlineID), "hotline")


def _found(value: T | None, what: str) -> T:
    if value is None:
        raise NotFound(what)
    return value
