"""The header `Expect` before a path is looked for: anything but 100-continue, which aiohttp answers, is a 417 on every
path, served or not. aiohttp's own refusal repeats the header, and fails with a 500 when its bytes are no text.

aiohttp has no middleware that comes so early. A rule of sub-applications (the host's name, usually) does.
"""

from typing import Any

from aiohttp import HttpVersion11, web
from aiohttp.web_urldispatcher import AbstractRuleMatching, MatchedSubAppResource


class Expectation(AbstractRuleMatching):
    """Is asked about every request, and leads to no application."""

    async def match(self, request: web.Request) -> bool:
        """Raises 417."""
        expect = request.headers.get("Expect", "")
        if expect and expect.lower() != "100-continue" and request.version >= HttpVersion11:
            raise web.HTTPExpectationFailed(text="Expect: only 100-continue is known")
        return False

    def get_info(self) -> Any:
        return {}

    @property
    def canonical(self) -> str:
        return ""


def install(app: web.Application) -> None:
    app.router.register_resource(MatchedSubAppResource(Expectation(), web.Application()))
