"""What `docs/campaigns.md` shows is what happens: its commands are run and their answers compared."""

from tests import pages
from tests.directory_site import DirectorySite, directory_site


async def _campaign(site: DirectorySite) -> None:
    """Campaign 1, of three people."""
    org = site.org.id
    await site.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930555100', $1)", org)
    await site.pool.execute(
        "INSERT INTO programs (organisation_id, name, type) VALUES ($1, 'p', 'voicemessage')", org)
    await site.pool.execute("INSERT INTO contact_groups (organisation_id, name) VALUES ($1, 'g')", org)
    await site.pool.execute(
        "WITH c AS (INSERT INTO contacts (organisation_id, phone) SELECT $1, '030' FROM generate_series(1, 3) "
        "RETURNING id) INSERT INTO contact_group_members (organisation_id, group_id, contact_id) "
        "SELECT $1, g.id, c.id FROM c, contact_groups g", org)
    await site.pool.execute(
        "INSERT INTO campaigns (organisation_id, name, program_id, group_id, try_allowed) "
        "SELECT $1, 'Umfrage', p.id, g.id, 2 FROM programs p, contact_groups g", org)


async def test_the_examples_of_the_page_are_true(database_url: str) -> None:
    async with directory_site(database_url) as site:
        await _campaign(site)
        variables = {"URL": site.api.url, "TOKEN": site.api.headers["API-TOKEN"]}
        examples = pages.examples("campaigns.md")
        assert len(examples) >= 7
        for commands, shown in examples:
            got = await pages.answer(commands, variables)
            assert pages.as_shown(got, shown) == shown, commands
