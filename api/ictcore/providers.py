"""`/providers`: the trunks of an organisation. Section "Trunk / Termination Providers APIs" of the guide.

Active ones of the type sip with the voice bit carry its calls, from the next one on; the others are kept. Host, user
name, password and prefix reach the switch: what could be more than one value in its configuration is refused here.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.ictcore.fields import Body, Description, Flag, Name, Number, OneLine, Text
from api.ictcore.frame import Call, failed, found, routes
from engine.store.providers import IctcoreProviders, StoredProvider
from engine.vocabulary.dialling import rewrites

TAG = "providers"
ONE = "/providers/{provider_id}"
WHAT = "Provider"
PORTS = {"sip": 5060, "smpp": 2775, "http": 80, "smtp": 25, "emailcmd": 0}
FREESWITCH, VOICE_AND_FAX = 8, 3        # what a trunk of ICTCore says of itself


def _rewritable(prefix: str) -> str:
    rewrites(prefix)
    return prefix


_HOST = r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,126}[A-Za-z0-9])?)?$"
Type = Literal["sip", "smpp", "http", "smtp", "emailcmd"]
Host = Annotated[str, Field(pattern=_HOST, description="a name or an IPv4 address")]
Port = Annotated[int, Field(ge=1, le=65535)]
# no control characters, and nothing that parts values or sections of a configuration, or parameters of a SIP header
Password = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f;,\[\]]*$", max_length=128)]
Username = Annotated[str, Field(pattern=r'^[^\x00-\x1f\x7f-\x9f;,\[\]"\\]+$', max_length=128)]
Prefix = Annotated[str, Field(max_length=255, description="a comma list of remove|add: 49|0,|00"),
                   AfterValidator(_rewritable)]
Bits = Annotated[int, Field(ge=0, le=2**31 - 1)]
Weight = Annotated[Number, Field(description="the lighter is dialled by first")]
Channels = Annotated[int, Field(ge=0, le=100_000, description="legs at once; 0: as the settings say")]
Cps = Annotated[float, Field(ge=0, le=10_000, description="new legs a second; 0: as the settings say")]


class ProviderPut(Body):
    name: Name | None = None
    description: Description | None = None
    gateway_flag: Bits | None = None
    service_flag: Bits | None = None
    node_id: Number | None = None
    host: Host | None = None
    port: Port | None = None
    username: Username | None = None
    password: Password | None = None
    dialstring: Annotated[OneLine, Field(max_length=255)] | None = None
    prefix: Prefix | None = None
    settings: Annotated[Text, Field(max_length=65_536)] | None = None
    register_: Annotated[Flag | None, Field(alias="register")] = None
    weight: Weight | None = None
    active: Flag | None = None
    channels: Channels | None = None
    cps: Cps | None = None

    def columns(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, by_alias=True, mode="json")


class ProviderPost(ProviderPut):
    name: Name
    username: Username
    type: Type = "sip"


class ProviderRow(BaseModel):
    provider_id: int
    name: str
    host: str
    service_flag: int
    node_id: int
    type: str


class Provider(ProviderRow):
    model_config = ConfigDict(populate_by_name=True)

    description: str
    gateway_flag: int
    port: int
    username: str
    dialstring: str
    prefix: str
    settings: str
    register_: Annotated[Flag, Field(alias="register")]
    weight: int
    active: Flag
    channels: int
    cps: float
    user_id: int | None


@routes.creates("provider_id", "/providers", 412, permission="provider_create", tag=TAG)
async def create_provider(call: Call, body: ProviderPost, providers: IctcoreProviders) -> int:
    """Make a trunk. Calls go out by it from the next one on."""
    values = _defaults(body.type) | body.columns()
    _check_host(values["type"], values["host"])
    return await providers.create(call.organisation_id, call.user_id, values)


@routes.on("GET", "/providers", permission="provider_list", tag=TAG)
async def list_providers(call: Call, providers: IctcoreProviders) -> list[ProviderRow]:
    """Filters: provider_id, name, node_id, host, type, active; service_flag (has one of its bits); user_id, before,
    after."""
    return [_row(row) for row in await providers.page(call.organisation_id, call.wanted("provider"))]


@routes.on("GET", ONE, 404, permission="provider_read", tag=TAG)
async def get_provider(call: Call, provider_id: int, providers: IctcoreProviders) -> Provider:
    """A trunk; its password is told to nobody."""
    return _provider(await _seen(call, providers, provider_id))


@routes.on("PUT", ONE, 404, 412, permission="provider_update", tag=TAG)
async def update_provider(
    call: Call, provider_id: int, body: ProviderPut, providers: IctcoreProviders,
) -> Provider:
    """Change what the body names, from the next call on. The type stays as it was made."""
    values = body.columns()
    _check_host((await _seen(call, providers, provider_id)).type, values.get("host"))
    seen_by = call.seen_by("provider")
    return _provider(found(await providers.update(call.organisation_id, seen_by, provider_id, values), WHAT))


@routes.on("DELETE", ONE, 404, permission="provider_delete", tag=TAG)
async def delete_provider(call: Call, provider_id: int, providers: IctcoreProviders) -> None:
    """Remove a trunk. Calls that go by it end as they would; new ones go by another."""
    found(await providers.delete(call.organisation_id, call.seen_by("provider"), provider_id) or None, WHAT)


def _defaults(kind: str) -> dict[str, Any]:
    return {
        "description": "", "type": kind, "gateway_flag": FREESWITCH, "service_flag": VOICE_AND_FAX, "node_id": 1,
        "host": "", "port": PORTS[kind], "password": "", "dialstring": "", "prefix": "", "settings": "",
        "register": False, "weight": 10, "active": True, "channels": 0, "cps": 0.0,
    }


def _check_host(kind: str, host: str | None) -> None:
    if kind == "sip" and host == "":
        raise failed("host", "where calls are sent")


async def _seen(call: Call, providers: IctcoreProviders, provider_id: int) -> StoredProvider:
    return found(await providers.provider(call.organisation_id, call.seen_by("provider"), provider_id), WHAT)


def _row(row: StoredProvider) -> ProviderRow:
    return ProviderRow(provider_id=row.provider_id, name=row.name, host=row.host, service_flag=row.service_flag,
                       node_id=row.node_id, type=row.type)


def _provider(row: StoredProvider) -> Provider:
    return Provider(
        provider_id=row.provider_id, name=row.name, description=row.description, type=row.type,
        gateway_flag=row.gateway_flag, service_flag=row.service_flag, node_id=row.node_id, host=row.host,
        port=row.port, username=row.username, dialstring=row.dialstring, prefix=row.prefix, settings=row.settings,
        register_=row.register, weight=row.weight, active=row.active, channels=row.channels, cps=row.cps,
        user_id=row.created_by)
