"""The same alarm is posted fifty times at once, and what has to take it is killed in between: it is one alarm."""

import asyncio
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.torture import invariants
from tests.torture.crowd import ACCEPTS, Crowd, Order
from tests.torture.faults import Fault
from tests.torture.faults_of_processes import ApiKilled, DatabaseRestarted, EngineKilled
from tests.torture.world import NOT_NOW, World

pytestmark = pytest.mark.timeout(150)

AT_ONCE = 50
PEOPLE = 3
PAUSE_S = 0.1
ROW = "SELECT id FROM alarms WHERE id = $1"


class Clients:
    """Fifty that post one order under one key, each until it was told 2xx. `first`: as soon as one was."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.first = asyncio.Event()
        self.told: set[int] = set()

    async def post(self, key: str) -> Order:
        world, crowd = self._crowd.world, self._crowd
        people = [crowd._spare.pop(0) for _ in range(PEOPLE)]
        for n in people:
            world.phone(n).behaviour = ACCEPTS
        order = Order(key, people, "all", time.monotonic())
        crowd.orders.append(order)
        body = {
            "organizationID": world.town.organisation_id, "message": {"de": "Brand in Halle 3."},
            "recipients": [{"userID": world.users[n]} for n in people], "ringTimeoutS": 5,
            "acknowledge": {"needed": "all"}, "retry": {"rounds": 3, "pauseS": 1},
        }
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._post_until_taken(order, body))
        assert len(self.told) == 1, f"one key, several alarms: {self.told}"
        return order

    async def _post_until_taken(self, order: Order, body: dict[str, object]) -> None:
        while True:
            order.tries += 1
            try:
                async with asyncio.timeout(10):
                    status, answer = await self._crowd.world.muster.ask(
                        "POST", "/alarms", body, Idempotency_Key=order.key)
            except NOT_NOW:
                status, answer = 0, None
            if status in (200, 201, 202):
                order.alarm_id, order.accepted_at = int(answer["id"]), time.monotonic()
                self.told.add(order.alarm_id)
                self.first.set()
                return
            assert status in (0, 409, 429, 500, 502, 503, 504), (status, answer)
            await asyncio.sleep(PAUSE_S)


async def strike_meanwhile(world: World, faults: list[Fault], rng: random.Random) -> None:
    for fault in faults:
        await asyncio.sleep(rng.uniform(0, 0.15))
        await world.suffers(fault, rng.uniform(0, 0.3))


async def crowd_of(open_world: Callable, rng: random.Random, alarms: int) -> Crowd:
    world: World = await open_world()
    crowd = Crowd(world, rng)
    await crowd.people(PEOPLE * alarms)
    return crowd


async def as_one_alarm_says(crowd: Crowd, orders: list[Order]) -> None:
    await invariants.check(crowd)
    for order in orders:
        rows = await crowd.world.fetch(
            "SELECT state FROM alarm_recipients WHERE alarm_id = $1", order.alarm_id)
        assert len(rows) == PEOPLE


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.full)])
async def test_fifty_equal_posts_and_a_kill_of_api_and_engine(open_world, rng: random.Random, rounds: int) -> None:
    crowd = await crowd_of(open_world, rng, rounds)
    orders = []
    for number in range(rounds):
        faults: list[Fault] = rng.sample([ApiKilled(), EngineKilled()], 2)
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(Clients(crowd).post(f"brand-{number}"))
            tasks.create_task(strike_meanwhile(crowd.world, faults, rng))
        orders.append(posting.result())
    await as_one_alarm_says(crowd, orders)


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.full)])
async def test_what_was_answered_2xx_is_there_though_postgres_died_at_once(
        open_world, rng: random.Random, rounds: int) -> None:
    crowd = await crowd_of(open_world, rng, rounds)
    world, orders = crowd.world, []
    for number in range(rounds):
        clients = Clients(crowd)
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(clients.post(f"brand-{number}"))
            await clients.first.wait()
            world.server.process.send_signal(signal.SIGQUIT)    # in the same moment: nothing else runs in between
            told = set(clients.told)
            harm = await world.suffers(DatabaseRestarted(), 0.0)
            (alarm_id,) = told
            assert await world.fetch(ROW, alarm_id), f"the alarm {alarm_id} was answered 2xx, and is gone"
        orders.append(posting.result())
        print(f"back after {await world.recovers(harm):.1f} s, posted {orders[-1].tries} times")
    await as_one_alarm_says(crowd, orders)
