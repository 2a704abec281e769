"""What `docs/sensaphone.md` shows is what happens."""

from tests import pages
from tests.ictcore_site import PASSWORD
from tests.sensaphone_site import sensaphone_site


async def test_the_examples_of_the_page_are_true(database_url: str) -> None:
    async with sensaphone_site(database_url) as site:
        name = await site.pool.fetchval("SELECT name FROM users WHERE id = $1", site.user_id)
        variables = {"URL": f"{site.root}/api/v1", "ACCTID": str(site.acctid), "SESSION": site.session,
                     "NAME": name, "PASSWORD": PASSWORD}
        for commands, shown in pages.examples("sensaphone.md"):
            got = await pages.answer(commands, variables)
            assert pages.as_shown(got, shown) == shown, commands
