"""How many pages a PDF has, and two PDFs as one. Used by `documents.py`; the reading is done by `pdf_worker.py`."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

WORKER = Path(__file__).with_name("pdf_worker.py")
TIMEOUT_S = 30.0
_INT32 = 2**31 - 1


class Unreadable(Exception):
    """It is no PDF, is damaged or encrypted, or takes too long to read."""


class Pages(BaseModel):
    """Of the file, and the size of the first one in points."""

    pages: int
    width: int
    height: int


class Pdfs:
    """One at a time: each may take a whole core, and much memory."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._one = asyncio.Semaphore(1)

    async def pages(self, data: bytes) -> Pages:
        """Raises Unreadable."""
        try:
            found = Pages.model_validate_json(await self._work(data, "pages"))
        except ValidationError:
            raise Unreadable from None
        if not (0 < found.pages <= _INT32 and 0 <= found.width <= _INT32 and 0 <= found.height <= _INT32):
            raise Unreadable
        return found

    async def joined(self, first: bytes, second: bytes) -> bytes:
        """Raises Unreadable."""
        return await self._work(first + second, "join", str(len(first)))

    async def _work(self, data: bytes, *args: str) -> bytes:
        async with self._one:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(WORKER), *args, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer, _ = await process.communicate(data)
            except TimeoutError:
                raise Unreadable from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):      # it ended at this moment
                        process.kill()
                    await process.wait()
        if process.returncode != 0:
            raise Unreadable
        return answer
