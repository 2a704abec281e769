"""What a client is told when we fail: an error body that tells nothing of the inside."""

from typing import Any

from tests.api_client import Site


async def test_an_unforeseen_error_is_a_500_that_tells_nothing_of_the_inside(site: Site) -> None:
    broken: Any = site.world.directory
    broken.hotline_rows = "broken inside"
    got = await site.api("GET", "/hotlines", organization_id=site.org.id)
    assert got.status == 500 and got.says == "unexpected error | unexpected error"


async def test_a_long_list_of_problems_is_cut(site: Site) -> None:
    got = await site.api("POST", "/hotlines", site.hotline_body(agents=["x"] * 5000))
    assert got.status == 400 and "agents[0]" in got.says and len(got.says) < 2000
