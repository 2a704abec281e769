"""Any text where a request is not its body: in every variable of every path, in headers, and in what logs in (bodies
and Basic); on the real Asterisk, with the canaries of `siege.py`. Never a 500, nothing that comes to be, nothing said
on AMI but what its grammar knows. (Composed texts: `test_hostile_texts.py`.)
"""

import random
from typing import Any

import pytest

from tests.torture.hostile_estate import Estate
from tests.torture.hostile_spots import spots, tried
from tests.torture.hostile_texts import MEGABYTE, NUMBERS, texts
from tests.torture.raw_requests import RawClient
from tests.torture.report import Tally
from tests.torture.siege import Siege


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_no_text_in_any_path_header_or_log_in_becomes_anything_else(
        siege: Siege, rng: random.Random, tally: Tally) -> None:
    """Every variable of a path and every log-in with twelve texts, every header of every route with one."""
    estate = await Estate.built(siege.muster.session, siege.muster.url, siege.muster.town.database, has_engine=True)
    client = RawClient.to(siege.muster.url)
    evil: list[Any] = [*texts(siege.canary), *rng.sample(NUMBERS, 40)]
    taken = 0
    for spot in spots(estate):
        for text in rng.sample(evil, 1 if spot.kind == "header" else 12):
            if text is MEGABYTE and rng.random() > 0.1:
                continue
            taken += 200 <= await tried(client, estate, spot, text) < 300
            tally.faults += 1
    assert taken > 500, "hardly a request was let in: nothing was tried"
    await siege.holds()
