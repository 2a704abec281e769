"""Facts of Asterisk's own database and files: who may write, what a kill leaves."""

import asyncio
import uuid

from tests.contract.conftest import Bench, a_bench
from tests.contract.private_asterisk import PrivateAsterisk


async def test_the_engines_rights_do_not_write_the_database(bench: Bench) -> None:
    assert (await bench.ami.ask(Action="DBPut", Family="a", Key="b", Val="1"))["Message"] == "Permission denied"
    assert (await bench.ami.ask(Action="DBDel", Family="a", Key="b"))["Message"] == "Permission denied"
    assert (await bench.ami.ask(Action="Setvar", Variable="DB(a/b)", Value="1"))["Response"] == "Error"
    assert await bench.ami.db("a") == {}


async def test_the_dialplan_writes_and_the_engine_reads_and_deletes(bench: Bench) -> None:
    await bench.run("put", K="rw/4930", V="7:1:2:de:x:y")
    await bench.run("put", K="rwp/4930/0", V="49171-49172")
    await bench.ami.said("put", 2)
    assert await bench.ami.db("rw") == {"/rw/4930": "7:1:2:de:x:y"}      # a family is no prefix of another
    assert await bench.ami.db("rwp") == {"/rwp/4930/0": "49171-49172"}
    for key in ("rw/4930", "rwp/4930/0"):
        answer = await bench.ami.ask(Action="Setvar", Variable=f"DB_DELETE({key})", Value="1")
        assert answer["Response"] == "Success"
    assert await bench.ami.db("rw") == await bench.ami.db("rwp") == {}


async def test_a_kill_loses_rows_of_the_last_second_but_no_file(mortal_asterisk: PrivateAsterisk) -> None:
    """What must survive is written as a file (or committed by the engine) before anybody is thanked."""
    lost = 0
    for _ in range(3):      # the rows are written to disk about once a second: a kill can fall right after that
        await mortal_asterisk.start()
        keys = [uuid.uuid4().hex for _ in range(50)]
        async with a_bench(mortal_asterisk) as bench:
            for key in keys:
                await bench.run("keep", K=key)
            await bench.ami.said("kept", 50, 20)
            mortal_asterisk.kill()
        assert all((mortal_asterisk.home / "spool" / key).exists() for key in keys)
        await mortal_asterisk.start()
        async with a_bench(mortal_asterisk) as bench:
            rows = await bench.ami.db("ack")
        lost += sum(1 for key in keys if f"/ack/{key}" not in rows)
        mortal_asterisk.kill()
        if lost:
            break
    assert lost


async def test_rows_older_than_two_seconds_survive_a_kill(mortal_asterisk: PrivateAsterisk) -> None:
    await mortal_asterisk.start()
    async with a_bench(mortal_asterisk) as bench:
        await bench.run("keep", K="old")
        await bench.ami.said("kept")
        await asyncio.sleep(2.2)
        mortal_asterisk.kill()
    await mortal_asterisk.start()
    async with a_bench(mortal_asterisk) as bench:
        assert "/ack/old" in await bench.ami.db("ack")
