from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engine.ports import SpeechFailed
from engine.sound.samples import Sound, to_wav
from engine.speech.remote import Http
from engine.speech.voice import VoiceUnavailable


async def speak(request: web.Request) -> web.Response:
    text = await request.text()
    if text == "fail":
        return web.Response(status=500)
    if text == "elsewhere":
        raise web.HTTPFound("/say")
    if text == "words":
        return web.Response(text="no WAV")
    seconds = len(text) if request.headers["Content-Language"] == "de" else 0
    return web.Response(body=to_wav(Sound(0.1 * np.ones(8000 * seconds), 8000)))


@pytest.fixture
async def voice() -> AsyncIterator[Http]:
    app = web.Application()
    app.router.add_post("/say", speak)
    async with TestServer(app) as server:
        voice = Http(str(server.make_url("/say")))
        await voice.start()
        yield voice
        await voice.stop()


async def test_the_text_is_posted_and_a_wav_file_comes_back(voice: Http) -> None:
    sound = await voice.speak(["äö"], "de")
    assert (sound.rate, len(sound.samples)) == (8000, 16000)


@pytest.mark.parametrize("text", ["fail", "elsewhere", "words"])
async def test_anything_else_is_an_error(voice: Http, text: str) -> None:
    with pytest.raises(SpeechFailed):
        await voice.speak([text], "de")


async def test_a_server_that_is_not_there_makes_the_voice_unavailable() -> None:
    voice = Http("http://127.0.0.1:9/say?key=secret")
    with pytest.raises(VoiceUnavailable) as failure:
        await voice.speak(["Hallo"], "de")
    await voice.stop()
    assert "secret" not in str(failure.value)


async def test_a_url_is_needed() -> None:
    with pytest.raises(VoiceUnavailable):
        await Http("file:///etc/passwd").start()
