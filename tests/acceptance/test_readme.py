"""The README tells the truth: its commands of "Run it", as they stand, on a system with phones at its trunk."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from engine.demo.system import System, started
from engine.runtime.ports import Address
from engine.softphone import Behaviour, Carrier

PROJECT = Path(__file__).resolve().parents[2]
ENDLESS = ("ringward call tail", "curl -N")
STRICT = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'
ADA, BERND = "4915123456789", "491713920001"


def commands() -> list[str]:
    """The blocks of the section, but for `make up`."""
    section = (PROJECT / "README.md").read_text().split("\n## Run it\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[1:]


def pasted(system: System) -> str:
    """The commands; the token of the example is the one that was made."""
    lines = [line for block in commands() for line in block.splitlines() if not line.startswith(ENDLESS)]
    script = "\n".join(lines).replace("http://127.0.0.1:8080", system.api)
    script = re.sub(r"^(ringward org create .*--json)", r"\1 | tee made.json", script, flags=re.MULTILINE)
    token = "$(sed 's/.*\"apiToken\": *\"//; s/\".*//' made.json)"
    return STRICT + script.replace(". .venv/bin/activate", ":").replace("rwo_…", token)


@pytest.mark.timeout(120)
async def test_what_is_pasted_rings_whom_it_says(tmp_path: Path) -> None:
    async with Carrier() as carrier, started(Address(*carrier.address)) as system:
        ada, bernd = (carrier.phone(number, Behaviour.rejects(603)) for number in (ADA, BERND))
        process = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", pasted(system), cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                 "RINGWARD_HOME": str(system.home)})
        said, _ = await process.communicate()
        print(said.decode())
        assert process.returncode == 0
        await ada.rung(20, times=2)     # by the alarm and by the campaign
        await bernd.rung(20)
        assert '"imported":2' in said.decode()
