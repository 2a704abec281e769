"""Organisations' own trunks, made by the API of ICTCore while everything runs: the next call goes by them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from engine.softphone import Behaviour, Carrier, Phone
from tests.acceptance.town import Town, agent_number
from tests.ictcore_site import IctcoreSite, ictcore_site


@dataclass
class Office:
    """A town whose organisation has the API, and a provider's far side at an address of its own."""

    town: Town
    site: IctcoreSite
    carrier: Carrier
    provider_id: int = 0

    async def says(self, method: str, **body: Any) -> None:
        """Makes, changes or removes the provider; returns when the engine has taken note."""
        before = self.notes()
        path = f"/providers/{self.provider_id}" if self.provider_id else "/providers"
        answer = await self.site.admin(method, path, None if method == "DELETE" else body)
        assert answer.status == 200, answer
        self.provider_id = self.provider_id or answer.body["provider_id"]

        async def noted() -> bool:
            return self.notes() > before

        await self.town.until(noted, "the engine has told the switch", 3)

    async def makes(self, **changes: Any) -> None:
        host, port = self.carrier.address
        await self.says("POST", **{"name": "Alpine", "host": host, "port": port, "username": "joe", **changes})

    def notes(self) -> int:
        return self.town.engine.log_path.read_text().count("providers.told")

    async def rings(self, phone: Phone, times: int) -> None:
        """Somebody calls the hotline, and this phone is rung."""
        caller = await self.town.calls()
        await phone.rung(times=times)
        caller.hang_up()
        await phone.ended(times=times)

    def asterisk_has(self, what: str) -> bool:
        return f" {what}" in self.town.asterisk_cli("pjsip show endpoints")


@asynccontextmanager
async def office(open_town: Callable[..., Awaitable[Town]], asterisk: Any, url: str) -> AsyncIterator[Office]:
    town = await open_town(asterisk)
    async with ictcore_site(url) as site, Carrier("127.0.0.2") as carrier:
        town.organisation_id = site.directory.org.id
        await town.engine_is_back()
        made = Office(town, site, carrier)
        yield made
        if made.provider_id:
            await made.says("DELETE")


async def test_a_provider_is_made_changed_and_removed_and_the_next_call_knows_it(
    open_town, quick_asterisk, database_url,
) -> None:
    async with office(open_town, quick_asterisk, database_url) as one:
        await one.town.hotline(agents=1)
        number = agent_number(1)
        there, rewritten = one.carrier.phone(number), one.carrier.phone("0" + number[2:])
        await one.rings(one.town.phone(1), 1)
        await one.makes()
        await one.rings(there, 1)
        await one.says("PUT", prefix="49|0")
        await one.rings(rewritten, 1)
        await one.says("PUT", active=0)
        await one.rings(one.town.phone(1), 2)
        assert not one.asterisk_has(f"p{one.provider_id}")
        await one.says("PUT", active=1, prefix="")
        await one.rings(there, 2)
        await one.says("DELETE")
        one.provider_id = 0
        await one.rings(one.town.phone(1), 3)


async def test_after_a_provider_failed_the_trunk_of_the_settings_is_taken(
    open_town, quick_asterisk, database_url,
) -> None:
    async with office(open_town, quick_asterisk, database_url) as one:
        await one.town.hotline(agents=1)
        one.carrier.phone(agent_number(1), Behaviour(reject_after_s=0.0, reject_with=503))
        await one.makes()
        await one.rings(one.town.phone(1), 1)


async def test_an_engine_that_was_killed_goes_on_by_the_provider(open_town, quick_asterisk, database_url) -> None:
    async with office(open_town, quick_asterisk, database_url) as one:
        await one.town.hotline(agents=1)
        there = one.carrier.phone(agent_number(1))
        await one.makes()
        one.town.engine.kill()
        assert one.asterisk_has(f"p{one.provider_id}")
        one.town.engine.start()
        await one.town.engine_is_back()
        await one.rings(there, 1)
        assert one.town.engine.log_path.read_text().count("trunks.provider_put") == 1, "it was there as it should be"
