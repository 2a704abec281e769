"""The console of a system's Asterisk: what a bench adds to it beside the product, for its baselines alone."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path


async def console(asterisk: int, command: str) -> str:
    """What the Asterisk with this process id answers to a command of its command line."""
    process = await asyncio.create_subprocess_exec(
        *_argv(asterisk), "-rx", command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command}: {err.decode().strip()}")
    return out.decode().strip()


def _argv(asterisk: int) -> list[str]:
    """How it was started, but for staying in the foreground."""
    argv = Path(f"/proc/{asterisk}/cmdline").read_bytes().decode().split("\0")[:-1]
    return [part for part in argv if part != "-f"]
