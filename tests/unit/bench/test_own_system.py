"""What a bench asks of its own system while parts of it come and go."""

from pathlib import Path

import pytest

from bench.own_system import OwnSystem, until
from engine.demo.system import System
from engine.runtime.ports import Address
from engine.settings import Settings

NOWHERE = Address("127.0.0.1", 9)


def system(home: Path) -> System:
    return System(home, "http://127.0.0.1:9", NOWHERE, NOWHERE)


async def test_an_engine_that_is_not_there_yet_takes_no_calls(tmp_path: Path) -> None:
    assert not await OwnSystem(system(tmp_path), Settings(home=tmp_path)).takes_calls(before=1)


def test_a_parts_process_id_is_the_one_that_its_file_holds(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "engine.pid").write_text("41\n")
    assert OwnSystem(system(tmp_path), Settings(home=tmp_path)).pid("engine") == 41


async def test_what_is_waited_for_is_looked_at_until_it_is_so() -> None:
    looks = iter([False, False, True])

    async def is_so() -> bool:
        return next(looks)

    await until(is_so, every_s=0)
    assert next(looks, None) is None


async def test_what_never_happens_is_waited_for_no_longer_than_is_said() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(TimeoutError):
        await until(never, within_s=0.01, every_s=0)
