"""What `docs/directory.md` shows is what happens: its commands are run and their answers compared."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.directory_site import DirectorySite, directory_site, wav

PAGE = Path(__file__).resolve().parents[2] / "docs" / "directory.md"
EXAMPLE = re.compile(r"```sh\n(.*?)```\n\n```json\n(.*?)```", re.DOTALL)


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        # as it was before anything was made in it
        await made.pool.execute("TRUNCATE organisations, numbers, tokens RESTART IDENTITY CASCADE")
        made.system = made.with_token(await made.world.directory.issue_system_token())
        yield made


async def test_the_examples_of_the_page_are_true(site: DirectorySite, tmp_path: Path) -> None:
    examples = EXAMPLE.findall(PAGE.read_text())
    assert len(examples) == PAGE.read_text().count("```sh") >= 9
    (tmp_path / "alarm.wav").write_bytes(wav())
    variables = {"URL": site.api.url, "SYSTEM": site.system.headers["API-TOKEN"]}
    for commands, expected in examples:
        answers = _values(await _run(commands, variables, tmp_path))
        assert _told(answers) == _told(_values(expected)), commands
        for answer in answers:
            variables["TOKEN"] = answer.get("apiToken") or variables.get("TOKEN", "")


async def _run(commands: str, variables: dict[str, str], folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", commands, cwd=folder, stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", **variables})
    async with asyncio.timeout(20):
        text, _ = await process.communicate()
    assert process.returncode == 0, commands
    return text.decode()


def _values(text: str) -> list[Any]:
    """One JSON value after the other."""
    decoder, values = json.JSONDecoder(), []
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


def _told(values: list[Any]) -> list[Any]:
    """Without what is different each time."""
    chance = ("apiToken", "digest", "createdAt")
    return [{name: "…" if name in chance else field for name, field in it.items()} for it in values]
