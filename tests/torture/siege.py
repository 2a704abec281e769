"""A town with its api under hostile input: all that the engine tells the switch passes through a proxy of ours, and
canaries show whether a text became anything else. `siege` is a fixture of conftest.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.alarm_town import Muster
from tests.contract.ami_proxy import AmiProxy
from tests.torture.ami_grammar import unexpected
from tests.torture.hostile_texts import Canary


@dataclass
class Siege:
    """A town with its api, all that the engine tells the switch, and what must not come to be."""

    muster: Muster
    proxy: AmiProxy
    canary: Canary
    dialplan: str

    def said(self) -> bytes:
        return b"".join(self.proxy.written)

    async def holds(self) -> None:
        cli = self.muster.town.asterisk_cli
        assert not list(self.canary.folder.rglob(f"*{self.canary.mark}*"))
        for place in (Path(self.muster.town.asterisk.settings.home), Path.cwd()):
            assert not list(place.glob(f"*{self.canary.mark}*")), place
        assert self.canary.mark not in await asyncio.to_thread(cli, "database show")
        assert self.canary.mark not in await asyncio.to_thread(cli, "dialplan show globals")
        assert _plan(await asyncio.to_thread(cli, "dialplan show")) == self.dialplan
        assert unexpected(self.said()) == []
        assert self.muster.api.process is not None and self.muster.api.process.poll() is None
        assert self.muster.town.engine.process is not None and self.muster.town.engine.process.poll() is None


def _plan(shown: str) -> str:
    return "\n".join(sorted(line for line in shown.splitlines() if "=>" in line or line.startswith("[ Context")))


@pytest.fixture
async def siege(open_muster: Callable, quick_asterisk: Any, tmp_path: Path) -> AsyncIterator[Siege]:
    async with AmiProxy.open(quick_asterisk.ami_port) as proxy:
        muster = await open_muster(quick_asterisk, ami_port=proxy.port)
        await muster.town.engine_is_back()
        (tmp_path / "canary").mkdir()
        (tmp_path / "canary").chmod(0o777)
        plan = _plan(await asyncio.to_thread(muster.town.asterisk_cli, "dialplan show"))
        assert plan
        yield Siege(muster, proxy, Canary(tmp_path / "canary"), plan)
