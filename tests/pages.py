"""Pages of the documentation whose examples are true: commands are run, and their answers compared.

In an answer "…" stands for what is different each time.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLE = re.compile(r"```sh\n(.*?)```\n\n```json\n(.*?)```", re.DOTALL)


def examples(page: str, section: str = "") -> list[tuple[str, Any]]:
    """(commands, answer); every block of commands has one. Of a page, or of the section with this heading."""
    text = (DOCS / page).read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    found = [(commands, json.loads(answer)) for commands, answer in EXAMPLE.findall(text)]
    assert len(found) == text.count("```sh")
    return found


async def answer(commands: str, variables: Mapping[str, str]) -> Any:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", commands, stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LC_ALL": "C.UTF-8", **variables})
    async with asyncio.timeout(20):
        text, _ = await process.communicate()
    assert process.returncode == 0, commands
    return json.loads(text)


def as_shown(got: Any, shown: Any) -> Any:
    """`got`, with "…" where the page shows it."""
    if shown == "…":
        return "…"
    if isinstance(got, dict) and isinstance(shown, dict):
        return {name: as_shown(value, shown.get(name)) for name, value in got.items()}
    if isinstance(got, list) and isinstance(shown, list) and len(got) == len(shown):
        return [as_shown(one, other) for one, other in zip(got, shown, strict=True)]
    return got
