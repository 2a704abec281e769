"""Providers on a real Asterisk: set, changed and removed while it runs, and there after it was killed."""

import asyncio
import stat
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.app import push_of
from engine.ports import Connected
from engine.runtime.asterisk import Asterisk
from engine.switch.asterisk.push import Session
from engine.switch.asterisk.switch import AsteriskSwitch
from engine.vocabulary.commands import Dial
from engine.vocabulary.events import CallArrived, DialRefused, HungUp
from engine.vocabulary.values import Provider
from tests.conftest import StartAsterisk
from tests.contract.registrar import Registrar, registrar
from tests.contract.sip_peer import Behaviour, SipPeer
from tests.contract.switch_worlds import SOUND, AsteriskWorld, fresh_number, open_asterisk

CARRIER, OTHER = "127.0.0.2", "127.0.0.3"


@pytest.fixture
async def world(asterisk: Asterisk) -> AsyncIterator[AsteriskWorld]:
    async with open_asterisk(asterisk) as real:
        yield real
        await real.switch.put_trunks([])


@pytest.fixture
async def carrier() -> AsyncIterator[Registrar]:
    async with registrar(CARRIER, joe="right") as one:
        one.default = Behaviour(status=486)
        yield one


def provider(peer: SipPeer, provider_id: int = 7, **changes: Any) -> Provider:
    host, _, port = peer.address.rpartition(":")
    fields: dict[str, Any] = {
        "provider_id": provider_id, "organisation_id": 1, "host": host, "port": int(port), "username": "joe",
        "password": "right", "prefix": "", "registers": False, "weight": 10}
    return Provider(**{**fields, **changes})


async def dials(world: AsteriskWorld, trunk: str, number: str) -> str:
    order = Dial(leg=str(uuid.uuid4()), number=number, caller_id="4930123", ring_timeout_s=20, ask=SOUND, taken=SOUND,
                 tries=1, peer="", trunk=trunk)
    world.switch.send([order])
    return order.leg


async def test_a_provider_that_was_put_is_dialled_by_with_its_password(
    world: AsteriskWorld, carrier: Registrar,
) -> None:
    assert await world.switch.put_trunks([provider(carrier)]) == {"p7"}
    number = fresh_number()
    leg = await dials(world, "p7", number)
    invite = (await carrier.rung(number)).invite
    assert invite and "authorization" in invite.headers and carrier.refused == []
    assert invite.headers["from"].startswith(('<sip:joe@127.0.0.2>', '"4930123" <sip:joe@127.0.0.2>'))
    assert "4930123" in invite.headers["p-asserted-identity"]
    assert (await world.next(HungUp, leg)).sip == 486


async def test_what_changed_holds_for_the_next_call(world: AsteriskWorld, carrier: Registrar) -> None:
    async with registrar(OTHER, ann="new") as other:
        await world.switch.put_trunks([provider(carrier)])
        changed = provider(other, username="ann", password="new", prefix="49|0")
        assert await world.switch.put_trunks([changed]) == {"p7"}
        number = fresh_number("4940")
        await dials(world, "p7", number)
        invite = (await other.rung("0" + number[2:])).invite
        assert invite and 'username="ann"' in invite.headers["authorization"] and other.refused == []
        assert "<sip:ann@127.0.0.3>" in invite.headers["from"]
        assert carrier.dialogs == {}


async def test_only_what_changed_is_written(
    world: AsteriskWorld, carrier: Registrar, monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = provider(carrier), provider(carrier, 8)
    await world.switch.put_trunks([one, two])
    wrote: list[str] = []
    asked = Session._ask

    async def ask(self: Session, method: str, kind: str, name: str, *options: Any) -> None:
        wrote.append(f"{method} {kind}/{name.partition('.')[0]}")
        await asked(self, method, kind, name, *options)

    monkeypatch.setattr(Session, "_ask", ask)
    assert await world.switch.put_trunks([one, two]) == {"p7", "p8"}
    assert await world.switch.put_trunks([one, provider(carrier, 8, prefix="49|0", weight=3, port=9)]) == {"p7", "p8"}
    assert wrote == []
    await world.switch.put_trunks([one, provider(carrier, 8, password="")])
    assert wrote and all(line.endswith("/p8") for line in wrote)
    wrote.clear()
    await world.switch.put_trunks([one])
    assert wrote == ["DELETE registration/p8", "DELETE auth/p8", "DELETE identify/p8", "DELETE endpoint/p8"]


async def test_a_removed_provider_is_dialled_by_no_more(world: AsteriskWorld, carrier: Registrar) -> None:
    await world.switch.put_trunks([provider(carrier)])
    assert await world.switch.put_trunks([]) == set()
    number = fresh_number()
    leg = await dials(world, "p7", number)
    await world.next(DialRefused, leg)
    assert carrier.calls_to(number) == []


async def test_a_call_from_a_providers_host_arrives_as_from_any_trunk(
    world: AsteriskWorld, carrier: Registrar,
) -> None:
    number = fresh_number()
    stranger = await carrier.call(number, world.address)
    async with asyncio.timeout(5):
        await stranger.ended.wait()
    assert stranger.final in (401, 403)
    await world.switch.put_trunks([provider(carrier)])
    await carrier.call(number, world.address)
    arrived = await world.next(CallArrived)
    assert arrived.did == number and arrived.channel.startswith("PJSIP/p7.")
    await world.switch.put_trunks([])
    late = await carrier.call(fresh_number(), world.address)
    async with asyncio.timeout(5):
        await late.ended.wait()
    assert late.final in (401, 403)


async def test_a_leg_of_a_provider_that_is_removed_lives_on(world: AsteriskWorld, carrier: Registrar) -> None:
    number = fresh_number()
    carrier.behaviour[number] = Behaviour(answer_s=0.0)
    await world.switch.put_trunks([provider(carrier)])
    leg = await dials(world, "p7", number)
    dialog = await carrier.rung(number)
    await dialog.answered.wait()
    await world.switch.put_trunks([])
    await world.quiet(HungUp, leg, 0.5)
    assert leg in await world.switch.live()
    carrier.hang_up(dialog)
    await world.next(HungUp, leg)


async def test_a_provider_registers_with_its_password_and_takes_leave(
    world: AsteriskWorld, carrier: Registrar,
) -> None:
    await world.switch.put_trunks([provider(carrier, registers=True)])
    made = await carrier.registration(1)
    assert "<sip:joe@127.0.0.2>" in made.aor and "sip:joe@127.0.0.1" in made.contact and made.expires == 3600
    await world.switch.put_trunks([provider(carrier)])
    assert (await carrier.registration(2)).expires == 0
    assert carrier.refused == []


async def test_a_new_password_registers_again(world: AsteriskWorld, carrier: Registrar) -> None:
    await world.switch.put_trunks([provider(carrier, registers=True, password="wrong")])
    await carrier.refusal()
    await world.switch.put_trunks([provider(carrier, registers=True)])
    assert (await carrier.registration(1)).expires == 3600


async def test_a_user_name_is_only_ever_text(world: AsteriskWorld, carrier: Registrar) -> None:
    strange = "a>b<c ü@x"
    carrier.passwords = {strange: "right"}
    await world.switch.put_trunks([provider(carrier, registers=True, username=strange)])
    made = await carrier.registration(1)
    user = "sip:a%3eb%3cc%20%c3%bc%40x@127.0.0"
    number = fresh_number()
    await dials(world, "p7", number)
    invite = (await carrier.rung(number)).invite
    assert f"<{user}.2>" in made.aor.lower() and f"<{user}.1:" in made.contact.lower()
    assert invite and f"<{user}.2>" in invite.headers["from"].lower() and carrier.refused == []


@pytest.mark.parametrize(("name", "evil"), [
    ("host", "127.0.0.2\nmatch=0.0.0.0/0"), ("host", "0.0.0.0/0"), ("host", "127.0.0.2,10.0.0.1"), ("host", "a;b"),
    ("username", "a\r\nb"), ("username", "a;b"), ("username", 'a"b'), ("password", "a\nb"),
    ("password", "a]b"), ("prefix", "49|0)"),
])
async def test_a_hostile_value_never_reaches_the_switch(
    world: AsteriskWorld, carrier: Registrar, name: str, evil: str,
) -> None:
    """Though it stood in the database, where the API does not let it."""
    good = provider(carrier, 8)
    assert await world.switch.put_trunks([provider(carrier, **{name: evil}), good]) == {"p8"}
    leg = await dials(world, "p7", fresh_number())
    await world.next(DialRefused, leg)


async def test_a_host_that_nobody_knows_spoils_no_other(world: AsteriskWorld, carrier: Registrar) -> None:
    taken = await world.switch.put_trunks([provider(carrier, host="nowhere.invalid"), provider(carrier, 8)])
    assert "p8" in taken


async def test_providers_survive_a_switch_that_is_killed_without_engine_and_database(
    start_asterisk: StartAsterisk,
) -> None:
    asterisk = start_asterisk()
    async with registrar(CARRIER, joe="right") as carrier:
        async with open_asterisk(asterisk) as world:
            await world.switch.put_trunks([provider(carrier, registers=True)])
            await carrier.registration(1)
            await asyncio.sleep(2.5)        # its database is written about once a second
        asterisk.kill()
        asterisk.restart()
        again = await carrier.registration(2)
        assert again.expires == 3600
        caller = await carrier.call("4930999", ("127.0.0.1", int(asterisk.sip.rpartition(":")[2])))
        async with asyncio.timeout(8):      # no engine claims it: the dialplan knows no such number
            await caller.ended.wait()
        assert caller.final == 404
        async with open_asterisk(asterisk) as world:
            await world.switch.put_trunks([provider(carrier, registers=True)])
            number = fresh_number()
            await dials(world, "p7", number)
            assert (await carrier.rung(number)).invite


def test_the_switchs_own_database_is_read_by_nobody_else(asterisk: Asterisk) -> None:
    database = asterisk.home.path / "asterisk" / "lib" / "astdb.sqlite3"
    assert database.exists() and stat.S_IMODE(database.parent.stat().st_mode) == 0o700


async def test_without_ari_no_provider_is_taken(asterisk: Asterisk) -> None:
    settings = asterisk.settings
    push = push_of(settings.model_copy(update={"ari_secret": "wrong"}))
    switch = AsteriskSwitch("127.0.0.1", asterisk.ami_port, settings.ami_user, asterisk.ami_secret,
                            settings.trunk_addresses(), settings.acks, settings.recordings, push)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(switch.run())
        assert isinstance(await anext(switch.events()), Connected)
        one = Provider(7, 1, CARRIER, 5060, "joe", "right", "", False, 10)
        assert await switch.put_trunks([one]) == set()
        running.cancel()
