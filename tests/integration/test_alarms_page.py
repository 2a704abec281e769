"""What `docs/alarms.md` shows is what happens, and it tells of everything there is."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.ringward.alarm_schemas import AlarmBody
from engine.vocabulary.values import AlarmState, Disposition, RecipientState
from tests.directory_site import DirectorySite, directory_site
from tests.pages import DOCS, answer, as_shown, examples


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    """An organisation with a user, a contact in a group, and a number."""
    async with directory_site(database_url) as made:
        await made.pool.execute("TRUNCATE organisations, users, numbers, tokens RESTART IDENTITY CASCADE")
        org = (await made.world.directory.create_organisation("Feuerwehr")).organisation_id
        api = made.with_token(await made.world.directory.issue_token(org, None))
        await made.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930555100', $1)", org)
        await api.made("/users", {"name": "anna", "allowAdmins": True})
        await api.made("/users/1/phones", {"name": "Handy", "number": "0170 1234567"})
        await api.made("/contacts", {"firstName": "Bert", "lastName": "Brecht", "phone": "030 555200",
                                     "morePhones": ["030 555201"]})
        await api.made("/contact-groups", {"name": "Wache"})
        assert (await api("POST", "/contact-groups/1/members", {"contactID": 1})).status == 201
        made.api = api
        yield made


async def test_the_examples_of_the_page_are_true(site: DirectorySite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ringward.alarms.ORDER_WAIT_S", 0.0)
    variables = {"URL": site.api.url, "TOKEN": site.api.headers["API-TOKEN"]}
    for commands, shown in examples("alarms.md"):
        assert as_shown(await answer(commands, variables), shown) == shown, commands


def test_the_page_tells_every_state_member_and_limit() -> None:
    page = (DOCS / "alarms.md").read_text()
    members: set[str] = set(AlarmBody.model_fields) - {"organizationID"}
    names: list[Any] = [*members, *AlarmState, *RecipientState, *Disposition]
    assert [str(it) for it in names if not re.search(rf"\b{it}\b", page)] == []
    for limit in ("1,000 characters", "10,000 people", "1 to 20 rounds", "0 to 3,600 s", "5 to 120 s", "10 to 86,400 s",
                  "3 to 12 digits", "1 to 255"):
        assert limit in page
