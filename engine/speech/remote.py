"""A voice behind a URL: POST the text as text/plain with Content-Language, get a WAV file back."""

import aiohttp

from engine.ports import SpeechFailed
from engine.sound.samples import Sound
from engine.speech.audio import from_wav
from engine.speech.voice import Spoken, VoiceUnavailable, plain

TIMEOUT_S = 30.0
MAX_BYTES = 32 << 20


class Http:
    name = "http"
    parallel = 4
    version = "1"

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        if not self._url.startswith(("http://", "https://")):
            raise VoiceUnavailable("the voice http needs a URL: set `voice` to http:https://host/path")
        await self.stop()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))

    async def speak(self, text: Spoken, language: str) -> Sound:
        if self._session is None:
            await self.start()
        assert self._session is not None     # noqa: S101
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Language": language, "Accept": "audio/wav"}
        try:
            async with self._session.post(
                self._url, data=plain(text).encode(), headers=headers, allow_redirects=False,
            ) as answer:
                if answer.status != 200:
                    raise SpeechFailed(f"the voice's server answered {answer.status}")
                return from_wav(await _body(answer))
        except (TimeoutError, aiohttp.ClientError) as error:
            # never the URL, it may hold a key
            raise VoiceUnavailable(f"the voice's server cannot be reached ({type(error).__name__}): "
                                   "start it or set `voice` to pico") from error

    async def stop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MAX_BYTES:
            raise SpeechFailed("the voice's server sent more than a prompt can be")
    return bytes(data)
