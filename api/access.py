"""Who is calling, and what that token may act for. Shared by every API with the two token headers.

A token acts within one organisation. An organisation's `API-TOKEN` acts as an admin of it; a `Personal-Access-Token`
acts as its user: who is no admin reads the organisation's hotlines, logs and records, and manages own phones only.
"""

from dataclasses import dataclass

from aiohttp import web

from api.errors import ApiError, Forbidden
from engine.store.dialable import Refusal, nature_of
from engine.store.directory_port import Directory, Principal
from engine.store.tokens import digest

ORGANISATION_HEADER = "API-TOKEN"
USER_HEADER = "Personal-Access-Token"


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    principal: Principal
    directory: Directory

    @property
    def organisation_id(self) -> int:
        return self.principal.organisation_id

    def in_organisation(self, organisation_id: int | None, field: str) -> None:
        """Raises Forbidden unless it is the token's own (or not given)."""
        if organisation_id not in (None, self.organisation_id):
            raise Forbidden(field)

    def never_dials(self, number: str) -> Refusal | None:
        """Why no hotline rings a phone with this number (E.164). Agents may live abroad, unlike those whom alarms and
        campaigns call; who asks for money may not be one. What nobody knows is accepted, as the contract has it."""
        found = nature_of(number).refusal
        return None if found is None or found.rule == "invalid-number" else found

    def as_admin(self) -> None:
        if not self.principal.is_admin:
            raise Forbidden("organizationID", "only admins of the organisation may change this")

    async def manages_phones(self, user_id: int, organisation_id: int | None, field: str, *,
                             as_admin: bool = False) -> None:
        """Own phones always; another user's as an admin who names the organisation, if that user allows it.

        `as_admin`: the organisation need not be named (a DELETE has no parameter for it in the published API).
        """
        self.in_organisation(organisation_id, "organization_id")
        if user_id == self.principal.user_id:
            return
        if not self.principal.is_admin or (organisation_id is None and not as_admin):
            raise Forbidden(field, "admins must name their organization_id")
        user = await self.directory.user(self.organisation_id, user_id)
        if user is None or not user.allow_admins:
            raise Forbidden(field, "the user does not allow admins to manage phones")


async def authenticate(request: web.Request, directory: Directory, *, also_system: bool = False) -> Call:
    """Raises ApiError 401; 403 for a system token where it may do nothing.

    One digest and one indexed look-up, whatever the token is.
    """
    of_organisation = request.headers.get(ORGANISATION_HEADER)
    token = request.headers.get(USER_HEADER) if of_organisation is None else of_organisation
    if not token:
        raise ApiError(401, "unauthorized", f"neither {ORGANISATION_HEADER} nor {USER_HEADER} is given")
    principal = await directory.principal(digest(token))
    if principal is None or (principal.user_id is None) != (of_organisation is not None):
        raise ApiError(401, "unauthorized", "the token is not valid")
    if principal.is_system and not also_system:
        raise Forbidden("API-TOKEN", "a system token acts for organisations and numbers alone")
    return Call(principal, directory)
