"""What the server logs of itself: a request that is no HTTP is one short line, as any other request is.

aiohttp writes its whole traceback, with the bytes that came: whoever may connect could fill the log, and write in it.
What is no fault of the client's (an error of ours that nothing caught) stays as it is. For `web.AppRunner(logger=…)`.
"""

import logging

import structlog
from aiohttp.http_exceptions import HttpProcessingError

log = structlog.get_logger()


class OneLine(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        log.info("api.malformed", what=type(error).__name__)
        return False


SERVER = logging.getLogger("api.server")
SERVER.addFilter(OneLine())
