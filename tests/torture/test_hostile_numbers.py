"""Numbers with signs that part, join or evaluate dial strings, in every field that takes a number: refused with the
field named, or read as E.164; what is stored has digits alone.
"""

import random
import re
from collections.abc import AsyncIterator

import pytest

from tests.directory_site import directory_site
from tests.torture.hostile_estate import Estate, Heard
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.hostile_texts import KEY, NUMBERS, Place, attacks, told, with_text
from tests.torture.report import Tally

# the fields of numbers, by their names in any API
FIELDS = {"phone", "number", "numbers", "morePhones", "destination", "callerIDs", "prefix", "extension", "to"}
# free text there, never dialled as it stands: an extension's is read when it is sent (test_hostile_spending.py)
KEPT = {"/accounts", "/dids", "/extensions", "/accounts/{account_id}", "/users", "/users/{user_id}"}
STORED = """
SELECT number FROM phones UNION ALL SELECT number FROM contacts WHERE number IS NOT NULL
UNION ALL SELECT unnest(more_numbers) FROM contacts UNION ALL SELECT number FROM dnc_numbers
UNION ALL SELECT number FROM numbers
UNION ALL SELECT unnest(phones) FROM alarm_recipients
UNION ALL SELECT unnest(caller_ids) FROM campaigns
"""


@pytest.fixture
async def estate(database_url: str) -> AsyncIterator[Estate]:
    async with directory_site(database_url) as site:
        yield await Estate.built(site.api.session, site.root, site.pool)


def places(estate: Estate) -> list[tuple[Route, Place]]:
    return [(route, place) for route in all_routes() if (body := estate.body(route)) and route.path not in KEPT
            for place in attacks(body)
            if KEY not in place and any(it in FIELDS for it in place)]


async def test_no_sign_of_a_dial_string_is_in_any_number_that_is_stored(
        estate: Estate, rng: random.Random, tally: Tally, request: pytest.FixtureRequest) -> None:
    tried = places(estate)
    assert {route.api for route, _ in tried} == {"ringward", "first-responder", "ictcore", "sensaphone"}
    for route, place in tried:
        for number in NUMBERS if request.config.option.torture else rng.sample(NUMBERS, 12):
            got = await estate.ask(route, body=with_text(estate.body(route), place, number))
            tally.faults += 1
            assert got.status < 500, (route.name, told(place), number, got)
            if not 200 <= got.status < 300 or got.is_refused:
                assert _names(got, place), (route.name, told(place), number, got)
    await _only_digits(estate)


async def test_a_list_of_numbers_as_csv_neither(estate: Estate, rng: random.Random) -> None:
    for number in rng.sample(NUMBERS, 40):
        for route in (Route("ictcore", "POST", "/groups/{group_id}/csv"),
                      Route("ringward", "POST", "/dnc-lists/{id}/numbers")):
            got = await estate.ask(route, data=f"{number}\r\n".encode(), headers={"Content-Type": "text/csv"})
            assert got.status < 500, (route.name, number, got)
    await _only_digits(estate)


def _names(got: Heard, place: Place) -> bool:
    """The refusal says which field it is about."""
    field = next(it for it in reversed(place) if isinstance(it, str))
    return field.encode() in got.body or b"body" in got.body


async def _only_digits(estate: Estate) -> None:
    stored = [row[0] for row in await estate.pool.fetch(STORED)]
    assert len(stored) > 3 and [it for it in stored if not re.fullmatch(r"\+[0-9]{3,15}", it)] == []
    rewritten = [row[0] for row in await estate.pool.fetch("SELECT prefix FROM providers")]
    assert [it for it in rewritten if not re.fullmatch(r"[0-9|,]*", it)] == []
