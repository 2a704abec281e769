"""A phone on another SIP stack (baresip): what our own phones and Asterisk agree on, a stranger must agree on too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from baresip import Account, AudioNotActive, AudioRestarted, Call, Config, Runtime, UserAgent

from engine.softphone.audio import chirp
from engine.softphone.g711 import Samples


class BaresipPhone:
    """One number at one address. It speaks a looped sound and records what it hears, in every call."""

    def __init__(self, agent: UserAgent, voice: Samples) -> None:
        self._agent = agent
        self._voice = voice.tobytes()
        self._incoming: asyncio.Queue[Call] = asyncio.Queue()
        self._pieces: list[bytes] = []
        self._spoken = 0
        agent.on_incoming(self._incoming.put_nowait)

    @property
    def heard(self) -> Samples:
        return np.frombuffer(b"".join(self._pieces), dtype=np.int16)

    async def dial(self, number: str, sip: str) -> Call:
        call = await self._agent.dial(f"sip:{number}@{sip}")
        await call.wait_established(10)
        return call

    async def answer(self) -> Call:
        """Wait until it rings, and answer."""
        async with asyncio.timeout(10):
            call = await self._incoming.get()
            await call.answer()
            await call.wait_established()
        return call

    async def talk(self, call: Call, seconds: float) -> None:
        """Speak and listen until that much audio came."""
        wanted = len(b"".join(self._pieces)) + round(seconds * 16000)
        async with asyncio.timeout(seconds + 10):
            while sum(map(len, self._pieces)) < wanted:
                try:
                    self._exchange(call)
                except (AudioNotActive, AudioRestarted):
                    pass  # the media is just being set up
                await asyncio.sleep(0.01)  # the stack's buffers have no other way to say that they moved

    def _exchange(self, call: Call) -> None:
        self._pieces.append(call.audio.read(16000))
        if call.audio.info().tx_buffered < 3200:
            start = self._spoken % len(self._voice)
            self._spoken += call.audio.write(self._voice[start : start + 1600])


@asynccontextmanager
async def baresip_phone(number: str, address: str, voice: Samples | None = None) -> AsyncIterator[BaresipPhone]:
    """The only one in this process at a time: the stack is global."""
    host, _, _ = address.partition(":")
    runtime = Runtime()
    await runtime.start(Config(net_interface=host, extra_config_text=f"sip_listen {address}\nrtp_ports 30000-39999\n"))
    try:
        account = Account(user=number, domain=address, password="", reg_interval=0, audio_codecs=("pcma",))
        yield BaresipPhone(await UserAgent.create(runtime, account), chirp(7, 1.0) if voice is None else voice)
    finally:
        await runtime.close()
