"""Every setting of Ringward, read once at start.

From strongest to weakest: command line options, variables (`RINGWARD_RING_TIMEOUT_S`, `DATABASE_URL`), what
`ringward up` wrote to `<home>/run/settings.json` (chosen ports, the AMI secret), `config/ringward.toml`, the
defaults here.
"""

import json
import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from engine.policy.trunks import MAIN, Trunk
from engine.vocabulary.values import is_provider

PROJECT = Path(__file__).resolve().parent.parent
RUN_SETTINGS = "run/settings.json"


class TrunkSetting(BaseModel):
    """One more trunk. Calls come from its address too; `prefixes`: E.164 digits that go by it first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]{1,20}$")
    address: str
    cps: float = Field(50, gt=0)
    channels: int = Field(500, ge=2)
    prefixes: list[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}$")]] = []


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="RINGWARD_", extra="ignore", toml_file=PROJECT / "config" / "ringward.toml",
        populate_by_name=True, validate_default=True,
    )

    home: Path = Path(".runtime")
    database_url: str = Field(
        "", validation_alias=AliasChoices("database_url", "DATABASE_URL", "RINGWARD_DATABASE_URL"))
    switch: Literal["asterisk", "memory"] = "asterisk"
    switch_name: str = Field("", pattern=r"^[a-z0-9-]{0,40}$", description="of several on one database")

    # where things listen
    api: str = "127.0.0.1:8080"
    sip: str = "127.0.0.1:5060"
    trunk: str = "127.0.0.1:5080"
    ami_host: str = "127.0.0.1"
    ami_port: int = Field(5038, ge=0, le=65535)
    ami_user: str = "ringward"
    ami_secret: str = ""
    ari_port: int = Field(8088, ge=0, le=65535)
    ari_user: str = "ringward"
    ari_secret: str = ""

    # the hotline
    ring_timeout_s: int = Field(25, ge=1, le=300, description="how long a phone rings in one round")
    rounds: int = Field(3, ge=1, le=20, description="how often each phone is rung for one caller")
    round_min_s: float = Field(5, ge=0, le=300, description="a round takes at least this long, up to ring_timeout_s")
    ask_tries: int = Field(3, ge=1, le=10, description="how often an agent hears the question")
    claim_s: float = Field(2, ge=0.5, le=10, description="an inbound call that no engine claims in time falls back")
    lease_s: int = Field(10, ge=3, le=60, description="a waiting caller without an engine goes to fallback after this")
    rtp_timeout_s: int = Field(60, ge=0, le=3600, description="a leg without RTP for this long is hung up")

    # the capacity budget of the trunk
    trunk_cps: float = Field(50, gt=0, description="new outbound legs a second")
    trunk_channels: int = Field(500, ge=2, description="legs at once, both directions")

    trunks: list[TrunkSetting] = Field([], description="more trunks, by destination or for when the first one fails")

    # alarms
    throttle_15min: int = Field(3, ge=1, description="a number that rang so often in 15 minutes rests before a repeat")
    throttle_hour: int = Field(7, ge=1, description="and so often in an hour")
    pin_tries_15min: int = Field(5, ge=1, description="wrong pins from a number, then none is right for 15 minutes")
    headroom: float = Field(
        0.2, ge=0, lt=1,
        description="share of a trunk's channels that others leave to hotlines; campaigns leave it of its pace as well")
    acks_dir: Path | None = None        # None: <home>/acks, where the switch writes down who acknowledged

    # programs
    recordings_dir: Path | None = None  # None: <home>/recordings, where the switch puts what programs record

    # webhooks
    webhook_allow: str = Field("", description="networks that webhooks may reach though they are not public")

    # the API of ICTCore
    ictcore_origins: str = Field("", description="web pages of these may call it from a browser; *: any")

    # speech
    voice: str = "pico"
    sounds_dir: Path | None = None      # None: <home>/sounds, which links to the recorded prompts
    speech_cache_days: float = Field(30, ge=2, description="speech that nobody asked for so long is removed")
    log_level: str = "info"

    # how long is kept what happened
    retention_logs_days: int = Field(
        365, ge=0, description="call logs, alarms, transmissions, events, deliveries; 0: for ever")
    retention_records_days: int = Field(365, ge=0, description="telephone records; 0: for ever")
    retention_recordings_days: int = Field(0, ge=0, description="recordings; 0: for ever")

    @property
    def switch_id(self) -> str:
        """The name by which this switch, and whoever owns it, is known in the database."""
        return self.switch_name or self.switch

    @property
    def acks(self) -> Path:
        return self.acks_dir or self.home / "acks"

    @property
    def recordings(self) -> Path:
        return self.recordings_dir or self.home / "recordings"

    def trunk_list(self) -> tuple[Trunk, ...]:
        """All trunks as the engine shares them out, the main one first."""
        more = (Trunk(one.name, one.cps, one.channels, tuple(one.prefixes)) for one in self.trunks)
        return (Trunk(MAIN, self.trunk_cps, self.trunk_channels), *more)

    def trunk_addresses(self) -> dict[str, str]:
        """HOST:PORT of each trunk by its name."""
        return {MAIN: self.trunk} | {one.name: one.address for one in self.trunks}

    @field_validator("trunks")
    @classmethod
    def _names(cls, trunks: list[TrunkSetting]) -> list[TrunkSetting]:
        names = [MAIN, *(one.name for one in trunks)]
        if len(set(names)) < len(names):
            raise ValueError(f"every trunk needs a name of its own, and {MAIN!r} is the first one's")
        if any(is_provider(name) for name in names):
            raise ValueError("names like 'p12' are those of providers")
        return trunks

    @field_validator("acks_dir", "sounds_dir", "recordings_dir")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        """`up` and what it starts do not run in the same folder."""
        return folder and folder.expanduser().absolute()

    @field_validator("webhook_allow")
    @classmethod
    def _networks(cls, text: str) -> str:
        networks(text)
        return text

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _RunSettings(settings_cls, init_settings),
                TomlConfigSettingsSource(settings_cls))


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """`10.0.0.0/8, fd00::/8, 192.0.2.7`. Raises ValueError, which names the wrong one."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


class _RunSettings(PydanticBaseSettingsSource):
    """What the running `ringward up` of this home chose."""

    def __init__(self, settings_cls: type[BaseSettings], init: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        home = init().get("home") or os.environ.get("RINGWARD_HOME") or ".runtime"
        self._path = Path(home) / RUN_SETTINGS

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._path.read_text()))
        except FileNotFoundError:
            return {}
