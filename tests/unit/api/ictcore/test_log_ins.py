"""How often a password may be tried, on a clock of the test's own."""

import asyncio

import pytest

from api.errors import ApiError
from api.ictcore.log_ins import OF_ONE_ADDRESS, OF_ONE_USER, WINDOW_S, LogIns


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.log_ins = LogIns(lambda: self.now)

    async def status(self, user: str = "anna", address: str = "192.0.2.1", *, is_right: bool = False) -> int:
        try:
            async with self.log_ins.one_try(user, address):
                if not is_right:
                    raise ApiError(401, "wrong")
        except ApiError as error:
            return error.status
        return 200


async def test_wrong_ones_of_a_user_from_an_address() -> None:
    world = World()
    assert [await world.status() for _ in range(OF_ONE_USER + 1)] == [401] * OF_ONE_USER + [423]
    assert await world.status(is_right=True) == await world.status(" ANNA ") == 423
    assert await world.status("bert") == await world.status(address="192.0.2.2") == 401
    world.now = WINDOW_S
    assert await world.status(is_right=True) == 200


async def test_wrong_ones_of_an_address() -> None:
    world = World()
    assert {await world.status(f"u{n}") for n in range(OF_ONE_ADDRESS)} == {401}
    assert await world.status("carl", is_right=True) == 423
    assert await world.status("carl", "192.0.2.2", is_right=True) == 200


async def test_right_ones_never_count() -> None:
    world = World()
    assert {await world.status(is_right=True) for _ in range(100)} == {200}


async def test_many_at_once_are_not_many_tries() -> None:
    world = World()
    statuses = await asyncio.gather(*(world.status() for _ in range(20)))
    assert statuses.count(401) == OF_ONE_USER


async def test_who_went_away_tried_nevertheless() -> None:
    world = World()
    for _ in range(OF_ONE_USER):
        with pytest.raises(asyncio.CancelledError):
            async with world.log_ins.one_try("anna", "192.0.2.1"):
                raise asyncio.CancelledError
    with pytest.raises(ApiError):
        world.log_ins.check("anna", "192.0.2.1")
