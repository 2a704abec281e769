"""`/accounts`, `/dids`, `/extensions`: the addresses that belong to users. Section "User account / Email / DID /
Extension" of the guide.

Whoever has no `account_admin` sees his own.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from api.errors import ApiError, NotFound
from api.ictcore.fields import Body, Email, Flag, Line, OneLine, OneLine128, Phone16
from api.ictcore.frame import Call, failed, found, routes
from api.ictcore.named_values import checked_name, sent_value
from engine.settings import Settings
from engine.store.directory_port import NameTaken
from engine.store.filters import Wanted
from engine.store.ictcore_accounts import IctcoreAccounts
from engine.store.programs import PostgresPrograms

TAG = "accounts"
ONE = "/accounts/{account_id}"
MY_DEFAULT = -1             # ICTCore's way to say "the caller's own first account"
Type = Literal["account", "extension", "did", "eaddress"]
Username = Annotated[Line, Field(max_length=64)]


class AccountChange(Body):
    passwd: OneLine128 = ""
    passwd_pin: Annotated[OneLine, Field(max_length=32)] = ""
    first_name: OneLine128 = ""
    last_name: OneLine128 = ""
    phone: Phone16 = ""
    email: Email = ""
    address: OneLine128 = ""
    active: Flag = False


class AccountBody(AccountChange):
    username: Username
    type: Type = "account"


class TypedBody(AccountChange):
    username: Username


class ListedAccount(BaseModel):
    account_id: int
    type: str
    username: str
    first_name: str
    last_name: str
    phone: str
    email: str
    address: str
    active: Flag
    user_id: int | None


class Account(ListedAccount):
    passwd: str
    passwd_pin: str
    settings: dict[str, Any]
    programs: Annotated[list[int], Field(description="ids of the programs that it uses")]


class Setting(BaseModel):
    value: Any


@routes.creates("account_id", "/accounts", 403, 412, permission="account_create", tag=TAG)
async def create_account(call: Call, body: AccountBody, accounts: IctcoreAccounts) -> int:
    """Make an account; it belongs to the caller."""
    return await _create(call, accounts, body.model_dump())


@routes.on("GET", "/accounts", 403, permission="account_list", tag=TAG)
async def list_accounts(call: Call, accounts: IctcoreAccounts) -> list[ListedAccount]:
    """Filters: account_id, type, username, phone, email, first_name, last_name."""
    return listed(await accounts.accounts(call.organisation_id, call.wanted("account")))


@routes.creates("account_id", "/dids", 403, 412, permission="account_create", tag=TAG)
async def create_did(call: Call, body: TypedBody, accounts: IctcoreAccounts) -> int:
    """Make an account of the type did."""
    return await _create(call, accounts, body.model_dump() | {"type": "did"})


@routes.on("GET", "/dids", 403, permission="account_list", tag=TAG)
async def list_dids(call: Call, accounts: IctcoreAccounts) -> list[ListedAccount]:
    """The accounts of the type did."""
    return listed(await accounts.accounts(call.organisation_id, call.wanted("account"), "did"))


@routes.creates("account_id", "/extensions", 403, 412, permission="account_create", tag=TAG)
async def create_extension(call: Call, body: TypedBody, accounts: IctcoreAccounts) -> int:
    """Make an account of the type extension."""
    return await _create(call, accounts, body.model_dump() | {"type": "extension"})


@routes.on("GET", "/extensions", 403, permission="account_list", tag=TAG)
async def list_extensions(call: Call, accounts: IctcoreAccounts) -> list[ListedAccount]:
    """The accounts of the type extension."""
    return listed(await accounts.accounts(call.organisation_id, call.wanted("account"), "extension"))


@routes.on("GET", ONE, 403, 404, permission="account_read", tag=TAG)
async def get_account(call: Call, account_id: int, accounts: IctcoreAccounts) -> Account:
    """One account; -1 is the caller's own."""
    return _account(await _seen(call, accounts, account_id))


@routes.on("PUT", ONE, 403, 404, 412, permission="account_update", tag=TAG)
async def update_account(call: Call, account_id: int, body: AccountChange, accounts: IctcoreAccounts) -> Account:
    """Change what the body names. Name and type stay as they were made."""
    account_id = (await _seen(call, accounts, account_id))["account_id"]
    await accounts.update(call.organisation_id, account_id, body.given())
    return _account(await _seen(call, accounts, account_id))


@routes.on("DELETE", ONE, 403, 404, permission="account_delete", tag=TAG)
async def delete_account(call: Call, account_id: int, accounts: IctcoreAccounts) -> None:
    """Remove an account."""
    await accounts.delete(call.organisation_id, (await _seen(call, accounts, account_id))["account_id"])


# --- owners and programs

@routes.on("PUT", ONE + "/users/{user_id}", 403, 404, permission="account_update", tag=TAG)
async def give_account(call: Call, account_id: int, user_id: int, accounts: IctcoreAccounts) -> Account:
    """Give an account to another user; it uses no program then."""
    row = await _seen(call, accounts, account_id)
    found(await accounts.give(call.organisation_id, row["account_id"], user_id) or None, "User")
    return _account({**row, "user_id": user_id, "programs": row["programs"] if row["user_id"] == user_id else []})


@routes.on("DELETE", ONE + "/users", 403, 404, permission="account_update", tag=TAG)
async def free_account(call: Call, account_id: int, accounts: IctcoreAccounts) -> Account:
    """Take an account from its user; it uses no program then."""
    row = await _seen(call, accounts, account_id)
    await accounts.give(call.organisation_id, row["account_id"], None)
    return _account({**row, "user_id": None, "programs": [] if row["user_id"] is not None else row["programs"]})


@routes.on("PUT", ONE + "/programs/{program}", 403, 404, permission="account_update", tag=TAG)
async def subscribe(call: Call, account_id: int, program: str, accounts: IctcoreAccounts,
                    programs: PostgresPrograms) -> Account:
    """Use a program for this account: one by its id, or the first one of a type by the type's name."""
    row = await _seen(call, accounts, account_id)
    program_id = (await _programs(call, program, programs))[0]
    await accounts.subscribe(call.organisation_id, row["account_id"], program_id)
    return _account(await _seen(call, accounts, account_id))


@routes.on("DELETE", ONE + "/programs/{program}", 403, 404, permission="account_update", tag=TAG)
async def unsubscribe(call: Call, account_id: int, program: str, accounts: IctcoreAccounts,
                      programs: PostgresPrograms) -> Account:
    """Use a program no more: one by its id, or all of a type by the type's name."""
    row = await _seen(call, accounts, account_id)
    await accounts.unsubscribe(call.organisation_id, row["account_id"], await _programs(call, program, programs))
    return _account(await _seen(call, accounts, account_id))


@routes.on("DELETE", ONE + "/programs", 403, 404, permission="account_update", tag=TAG)
async def unsubscribe_all(call: Call, account_id: int, accounts: IctcoreAccounts) -> Account:
    """Use no program for this account."""
    row = await _seen(call, accounts, account_id)
    await accounts.unsubscribe(call.organisation_id, row["account_id"], None)
    return _account({**row, "programs": []})


# --- settings

@routes.on("GET", ONE + "/settings/{name}", 403, 404, permission="account_read", tag=TAG)
async def get_setting(call: Call, account_id: int, name: str, accounts: IctcoreAccounts) -> Setting:
    """A setting of an account."""
    settings = json.loads((await _seen(call, accounts, account_id))["settings"])
    if name not in settings:
        raise NotFound("Setting")
    return Setting(value=settings[name])


@routes.on("PUT", ONE + "/settings/{name}", 403, 404, 412, 417, permission="account_update", tag=TAG)
async def put_setting(
    call: Call, account_id: int, name: str, request: web.Request, accounts: IctcoreAccounts) -> None:
    """Make or change a setting: `{"value": …}`, `{"data": …}` or the value itself."""
    row = await _seen(call, accounts, account_id)
    value = await sent_value(request)
    if not await accounts.set_setting(call.organisation_id, row["account_id"], checked_name(name), value):
        raise failed(name, "an account has 100 settings at most")


@routes.on("DELETE", ONE + "/settings/{name}", 403, 404, permission="account_update", tag=TAG)
async def delete_setting(call: Call, account_id: int, name: str, accounts: IctcoreAccounts) -> None:
    """Remove a setting."""
    row = await _seen(call, accounts, account_id)
    dropped = await accounts.drop_setting(call.organisation_id, row["account_id"], checked_name(name))
    found(dropped or None, "Setting")


@routes.on("GET", ONE + "/provisioning", 403, 404, permission="account_read", tag=TAG)
async def provisioning(call: Call, account_id: int, request: web.Request, settings: Settings,
                       accounts: IctcoreAccounts) -> dict[str, Any]:
    """What a SIP client needs to know of this account. Clients cannot register yet."""
    row = await _seen(call, accounts, account_id)
    host, _, port = settings.sip.rpartition(":")
    if host in ("", "0.0.0.0", "[::]"):     # noqa: S104 - every address: then the one that was asked
        host = request.url.host or ""
    return {"username": row["username"], "password": row["passwd"], "callerid": row["phone"] or row["username"],
            "host": host, "port": int(port), "wss": "", "dialplan": {"agent_login": "", "voicemail": ""},
            "account": _account(row).model_dump()}


# --- shared

def listed(rows: Sequence[Mapping[str, Any]]) -> list[ListedAccount]:
    return [ListedAccount(**row) for row in rows]


async def _seen(call: Call, accounts: IctcoreAccounts, account_id: int) -> Mapping[str, Any]:
    """Raises NotFound, also for one that this user may not see."""
    wanted: int | None = account_id
    if account_id == MY_DEFAULT:
        wanted = await accounts.default_of(call.organisation_id, call.user_id)
    row = None if wanted is None else await accounts.account(call.organisation_id, wanted, call.seen_by("account"))
    return found(row, "Account")


async def _programs(call: Call, program: str, programs: PostgresPrograms) -> list[int]:
    """Those that are meant by an id or by the name of a type; at least one. Raises NotFound."""
    by = "program_id" if program.isascii() and program.isdigit() and len(program) < 19 else "is_type"
    rows = await programs.page(call.organisation_id, Wanted({by: program}, call.seen_by("program")))
    return found([it.program_id for it in rows] or None, "Program")


async def _create(call: Call, accounts: IctcoreAccounts, columns: dict[str, Any]) -> int:
    try:
        return await accounts.create(call.organisation_id, columns, call.user_id)
    except NameTaken:
        raise ApiError(412, "Data validation failed, for username: taken within its type") from None


def _account(row: Mapping[str, Any]) -> Account:
    return Account(**{**row, "settings": json.loads(row["settings"])})
