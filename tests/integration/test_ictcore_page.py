"""What `docs/ictcore.md` shows of logging in is what happens, and every operation that it promises for now is there."""

from api.ictcore.frame import PREFIX
from api.ictcore.routes import routes
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


def test_what_comes_later_is_not_there_in_part() -> None:
    groups = {it.path.removeprefix(PREFIX).split("/")[1] for it in routes.operations}
    assert groups >= {"authenticate", "users", "accounts", "roles", "permissions", "contacts", "groups", "messages",
                      "programs", "transmissions", "spools", "campaigns", "statistics"}
    assert "providers" not in groups
