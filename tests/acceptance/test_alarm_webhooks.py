"""Receivers are told, and one that never answers delays no call."""

import asyncio
from typing import Any

from tests.acceptance.alarm_town import Muster

TYPES = ["alarm.created", "alarm.acknowledged", "alarm.finished", "recipient.acknowledged", "recipient.declined",
         "call.finished"]


class Receiver:
    """A server on loopback that reads requests and answers 204, or never."""

    def __init__(self, answers: bool) -> None:
        self._answers = answers
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.connections = 0

    async def __aenter__(self) -> "Receiver":
        from aiohttp import web

        async def take(request: web.Request) -> web.Response:
            self.connections += 1
            self.got.append((dict(request.headers), await request.json()))
            if not self._answers:
                await asyncio.Event().wait()
            return web.Response(status=204)

        app = web.Application()
        app.router.add_post("/", take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def types(self) -> list[str]:
        return [body["type"] for _, body in self.got]


async def test_a_receiver_that_never_answers_delays_nothing(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, webhook_allow="127.0.0.0/8")
    await muster.found(2)
    async with Receiver(answers=False) as dead, Receiver(answers=True) as well:
        for receiver in (dead, well):
            await muster.post("/webhooks", {"url": receiver.url, "types": TYPES})
        alarm = await muster.alarm(people=2, needed=1)
        await muster.acknowledges(1, keys="9")
        await alarm.person_is(1, "declined")
        await muster.acknowledges(2)
        await alarm.over()

        async def told() -> bool:
            return set(well.types()) == set(TYPES)
        await muster.town.until(told, f"everything was told, not only {well.types()}")
    assert dead.connections >= 1
    finished = next(body for _, body in well.got if body["type"] == "alarm.finished")
    assert finished["data"]["alarmID"] == alarm.id
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= {name.lower() for name in well.got[0][0]}
    assert muster.rung() == {1: 1, 2: 1}


async def test_a_private_address_is_refused(muster: Muster):
    await muster.found(1)
    status, problem = await muster.ask("POST", "/webhooks", {"url": "http://127.0.0.1:9/", "types": TYPES})
    assert status == 400
    assert "url" in str(problem)
