"""A hundred callers in a few seconds, by sipp: every one is answered, served by the engine and written down."""

import asyncio
from collections import Counter

CALLS, PER_S, STAYS_MS = 100, 25, 1000


async def test_a_hundred_callers_in_four_seconds(town, sipp, tmp_path):
    made = await town.hotline(agents=3, channels_inbound=100)
    process = await asyncio.create_subprocess_exec(
        *sipp.argv, "-sn", "uac", "-s", made.number[1:], "-i", "127.0.0.1", "-m", str(CALLS), "-r", str(PER_S),
        "-d", str(STAYS_MS), "-nostdin", town.asterisk.sip, cwd=tmp_path, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    async with asyncio.timeout(30):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")[-2000:]

    async def all_ended():
        return await town.database.fetchval("SELECT count(*) FROM call_logs WHERE end_time IS NOT NULL") == CALLS

    await town.until(all_ended, "every call has ended in the log")
    logs = await town.database.fetch("SELECT outcome FROM call_logs")
    assert Counter(log["outcome"] for log in logs) == {"callerHangup": CALLS}
    inbound = await town.database.fetch(
        "SELECT status, fallback FROM telephone_records WHERE direction = 'inbound'")
    assert Counter(tuple(record) for record in inbound) == {("answered", False): CALLS}
    assert await town.database.fetchval("SELECT count(*) FROM calls") == 0
    assert town.carrier.unknown == []
