"""The baseline: an AMI client with nothing around it, steering the same Asterisk with the same actions."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Self

from engine.settings import Settings
from engine.switch.asterisk.endpoints import endpoint


class BareAmi:
    """Sends actions and reads responses; events are thrown away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, via: str) -> None:
        self._reader, self._writer, self._via = reader, writer, via

    @classmethod
    async def connect(cls, settings: Settings) -> Self:
        way = await asyncio.open_connection(settings.ami_host, settings.ami_port)
        ami = cls(*way, endpoint("trunk", settings.ami_secret))
        await ami._reader.readline()
        await ami.action("Login", Username=settings.ami_user, Secret=settings.ami_secret, Events="off")
        return ami

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def action(self, name: str, **headers: str) -> Mapping[str, str]:
        """The response to one action; one at a time."""
        action_id = uuid.uuid4().hex
        lines = [f"Action: {name}", f"ActionID: {action_id}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(5):
            while True:
                message = await self._message()
                if message.get("ActionID") == action_id and "Response" in message:
                    if message["Response"] != "Success":
                        raise RuntimeError(f"{name}: {message.get('Message')}")
                    return message

    async def _message(self) -> dict[str, str]:
        raw = (await self._reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
        return dict(line.split(": ", 1) for line in raw.strip().split("\r\n") if ": " in line)

    async def hold(self, number: str, trunk: str) -> str:
        """Dial a phone straight into music on hold; its leg id."""
        leg = str(uuid.uuid4())
        await self.action(
            "Originate", Channel=f"PJSIP/{self._via}/sip:{number}@{trunk}", ChannelId=leg, Context="rw-hold", Exten="s",
            Priority="1", Timeout="5000", CallerID="493023125999", Async="true")
        return leg
