"""What `docs/ictcore.md` shows of messages is what happens."""

from pathlib import Path

from tests import pages
from tests.directory_site import wav
from tests.ictcore_site import ictcore_site


async def test_the_examples_of_the_page_are_true(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "probealarm.wav").write_bytes(wav(4, rate=16000))
    async with ictcore_site(database_url) as site:
        variables = {"URL": site.base, "TOKEN": site.admin.headers["Authorization"].removeprefix("Bearer ")}
        examples = pages.examples("ictcore.md", "Messages")
        assert len(examples) >= 3
        for commands, shown in examples:
            got = await pages.answer(f"cd {tmp_path}\n{commands}", variables)
            assert pages.as_shown(got, shown) == shown, commands
