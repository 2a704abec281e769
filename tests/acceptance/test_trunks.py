"""Several trunks: a number's own first, the next one when it is down, whether it refuses or says nothing at all."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import QUICK


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a carrier that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as carrier:
        carrier.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{carrier.getsockname()[1]}"


async def test_a_trunk_that_says_nothing_is_passed_over(start_asterisk, open_muster, silent):
    trunks = [{"name": "cheap", "address": silent, "cps": 10, "channels": 10, "prefixes": ["49301110"]}]
    settings = {**QUICK, "ring_timeout_s": 20, "trunks": trunks}
    muster = await open_muster(start_asterisk(**settings), **{**settings, "trunks": json.dumps(trunks)})
    alarm = await muster.alarm(people=1, retry={"rounds": 1}, ringTimeoutS=20)
    await muster.acknowledges(1)
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert [one["disposition"] for one in over["recipients"][0]["attempts"]] == ["failed", "acknowledged"]
    await muster.town.hotline(agents=[2])
    caller = await muster.town.calls()
    await muster.town.accepts(2)  # the agents of a hotline are reached as well
    await muster.town.has_entry("bridged")
    caller.hang_up()
    assert await muster.town.outcome() == "answered"
