"""What `docs/ictcore.md` shows of logging in is what happens. Its routes: `test_ictcore_guide.py`."""

from tests import pages
from tests.ictcore_site import ictcore_site, password_hash


async def test_the_example_of_logging_in_is_true(database_url: str) -> None:
    async with ictcore_site(database_url) as site:
        await site.directory.world.directory.create_user(
            site.directory.org.id, "dispatch", is_admin=True, password_hash=password_hash())
        examples = pages.examples("ictcore.md", "Logging in")
        assert examples
        for commands, shown in examples:
            got = await pages.answer(commands, {"URL": site.base})
            assert pages.as_shown(got, shown) == shown, commands
