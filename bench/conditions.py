"""Under which conditions a bench measures: machine, versions, and what the running system says of its settings.

Every bench calls `Results.begin` with these once its system is up: they are printed before the first run and lie in
results.json beside its figures.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from bench.bare_ami import BareAmi
from engine.settings import Settings

# of the server: what a commit costs depends on them
POSTGRES = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers")


async def conditions(home: Path, **settings: Any) -> Mapping[str, str]:
    """Of the system that runs in `home`; `settings` are the bench's own."""
    found = Settings(home=home)
    with_switch = {"asterisk": await _asterisk(found)} if found.switch == "asterisk" else {}
    return {
        **with_switch, **{name.replace("server_version", "postgres"): value
                          for name, value in (await _postgres(found.database_url)).items()},
        "asyncpg": version("asyncpg"), "panoramisk": version("panoramisk"), "aiohttp": version("aiohttp"),
        **{name: str(value) for name, value in settings.items()}}


async def _postgres(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in POSTGRES}
    finally:
        await connection.close()


async def _asterisk(settings: Settings) -> str:
    ami = await BareAmi.connect(settings)
    try:
        return (await ami.action("CoreSettings")).get("AsteriskVersion", "?")
    finally:
        await ami.close()
