"""What is answered to the header `Expect` before a body is read: aiohttp's own answer repeats it, and fails with a 500
when its bytes are no text. Named by every route of every API.
"""

from aiohttp import HttpVersion11, web

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def expected(request: web.Request) -> None:
    """Raises 417 unless it is `100-continue`, which is answered."""
    if request.version < HttpVersion11:
        return
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="Expect: only 100-continue is known")
    await request.writer.write(CONTINUE)
    request.writer.output_size = 0      # as aiohttp does it: of the answer itself nothing is sent yet
