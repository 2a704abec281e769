"""A system of its own with an organisation that runs campaigns to `load_phones.py`: what the campaign benches share.

Live calls are limited as an operator limits them, by the channels of the trunk; calls a second by the campaign. The
contacts' numbers are of a German mobile range; nobody but our phones is behind the trunk.
"""

import contextlib
import io
import wave
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np

from bench.load_phones import Journal, LoadPhones
from bench.media import AUDIBLE
from bench.own_system import OwnSystem, own_system, until
from engine.demo.api import Api
from engine.demo.company import LOCAL, V1
from engine.demo.system import System
from engine.runtime.ports import Address
from engine.softphone.g711 import FRAME, PCMA
from engine.switch.asterisk.endpoints import endpoint

FIRST_NUMBER = 4915120000000
ANSWER = "answer"
PASSWORD = "correct horse battery"  # noqa: S105
PER_MINUTE = 60_000
RATE = 8000


@dataclass(frozen=True, slots=True)
class Prompt:
    """What everybody hears. `sound`: its file as the dialplan plays it, without an ending; of its `frames` so many are
    `audible`."""

    sound: str
    frames: int
    audible: int


@dataclass(frozen=True, slots=True)
class CampaignSystem(OwnSystem):
    """Its organisation has `contacts` people in `group`, whom `program` is for."""

    phones: LoadPhones
    v1: Api
    ictcore: Api
    database: "asyncpg.Connection"
    group: int
    program: int
    prompt: Prompt

    @property
    def private(self) -> Path:
        """Where Asterisk's own files are."""
        return Path((self.system.home / "run" / "private").read_text().strip())

    def channel(self, number: int) -> str:
        """As Asterisk dials it by the trunk."""
        return f"PJSIP/{endpoint('trunk', self.settings.ami_secret)}/sip:{number}@{self.system.trunk}"

    def parts(self) -> Mapping[str, Collection[int]]:
        """Processes whose cost is told apart, for `windows.window`."""
        ours = {name: [self.pid(name)] for name in ("engine", "postgres", "asterisk")}
        return {**ours, "load phones": [self.phones.pid]}

    async def start(self, *, calls_a_second: float | None = None) -> int:
        """A campaign to the whole group; its id."""
        made = (await self.ictcore.post("/campaigns", {
            "program_id": self.program, "group_id": self.group, "cpm": PER_MINUTE, "try_allowed": 1}))["campaign_id"]
        if calls_a_second is not None:
            await self.v1.put(f"/campaigns/{made}", {"cpm": PER_MINUTE, "callsPerSecond": calls_a_second})
        await self.ictcore.put(f"/campaigns/{made}/start")
        return int(made)

    async def stop(self, campaign: int) -> None:
        """Nobody more is called; waits until those who are have hung up, and their rows are written."""
        await self.v1.post(f"/campaigns/{campaign}/stop")
        await self.quiet()
        open_spools = "SELECT count(*) FROM spools WHERE campaign_id = $1 AND time_end IS NULL"
        await until(lambda: self._are_none(open_spools, campaign))

    async def quiet(self) -> None:
        """Until no phone has a call."""
        await until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        return not (await self.phones.journal())[1]

    async def _are_none(self, query: str, *values: object) -> bool:
        return not await self.database.fetchval(query, *values)

    async def keys_stored(self, campaign: int) -> Mapping[str, str]:
        """By number: the key that a completed, answered call of the campaign stored; '' if it asked for none."""
        rows = await self.database.fetch(
            """SELECT s.number, coalesce(string_agg(r.data, ',') FILTER (WHERE r.name = $2), '') AS keys
               FROM spools s JOIN transmissions t ON t.id = s.transmission_id LEFT JOIN results r ON r.spool_id = s.id
               WHERE s.campaign_id = $1 AND s.status = 'completed' AND s.disposition = 'answered'
                 AND t.status = 'completed'
               GROUP BY s.id""", campaign, ANSWER)
        return {row["number"].lstrip("+"): row["keys"] for row in rows}


def is_right(call: Journal, prompt: Prompt, gap_s: float, presses: bool = True) -> bool:
    """Answered, the whole prompt heard without a gap, a key pressed, and hung up by the right side after it."""
    heard = call.packets >= prompt.frames and call.lost == 0 and call.audible >= prompt.audible - 1
    return heard and call.longest_gap_s <= gap_s and (not presses or 0 < call.pressed_at <= call.ended_at)


@contextlib.asynccontextmanager
async def campaign_system(
    contacts: int, seconds: float, settings: Mapping[str, str], *, presses: bool = True,
) -> AsyncIterator[CampaignSystem]:
    """`settings`: variables for the system alone. The prompt takes so many seconds; a key is asked for after it."""
    async with AsyncExitStack() as stack:
        phones = await stack.enter_async_context(LoadPhones.started())
        own = await stack.enter_async_context(own_system(Address(*phones.address), settings))
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)))
        database = await asyncpg.connect(own.settings.database_url)
        stack.push_async_callback(database.close)
        v1, ictcore = await _organisation(session, own.system)
        program = await _program(session, ictcore, seconds, presses)
        group = (await ictcore.post("/groups", {"name": "bench"}))["group_id"]
        await ictcore.post_csv(f"/groups/{group}/csv", "".join(_contacts(contacts)))
        prompt = await _prompt(ictcore, phones, program, own.system.home)
        yield CampaignSystem(own.system, own.settings, phones, v1, ictcore, database, group, program, prompt)


async def _organisation(session: aiohttp.ClientSession, system: System) -> tuple[Api, Api]:
    """Ringward's own API and ICTCore's. What may be dialled in a minute, an hour and a day is no limit."""
    made = await system.ringward("org", "create", "Bench")
    organisation, most = made["organizationID"], 2_000_000_000
    token = (await system.ringward("token", "create", "--system"))["systemToken"]
    await Api(session, system.api + V1, {"API-TOKEN": token}).put(f"/organisations/{organisation}", {
        "name": "Bench", "callsPerMinute": most, "callsPerHour": most, "callsPerDay": most})
    v1 = Api(session, system.api + V1, {"API-TOKEN": made["apiToken"]})
    await system.ringward("number", "add", f"+{LOCAL}500")
    await v1.post("/numbers", {"organizationID": organisation})
    await v1.post("/users", {"name": "bench", "password": PASSWORD, "isAdmin": True})
    url = system.api + "/ictcore"
    logged_in = await Api(session, url, {}).post("/authenticate", {"username": "bench", "password": PASSWORD})
    return v1, Api(session, url, {"Authorization": f"Bearer {logged_in['token']}", "Accept": "application/json"})


async def _program(session: aiohttp.ClientSession, ictcore: Api, seconds: float, presses: bool) -> int:
    """Says a recording of so many seconds, and takes one digit after it."""
    recording = (await ictcore.post("/messages/recordings", {"name": "bench"}))["recording_id"]
    await ictcore.put_file(f"/messages/recordings/{recording}/media", voice(seconds), "audio/wav")
    if not presses:
        made = await ictcore.post("/programs/voicemessage", {"name": "bench", "recording_id": recording})
    else:
        asked = {"type": "input", "data": {"name": ANSWER, "digits": 1, "timeout": 5, "recording_id": recording}}
        made = await ictcore.post("/programs/ivr", {"name": "bench", "ivr_scheme": {"0": asked}})
    return int(made["program_id"])


async def _prompt(ictcore: Api, phones: LoadPhones, program: int, home: Path) -> Prompt:
    """The recording as the phones will hear it: a single call makes its files."""
    await phones.begin(frames=10)
    sent = await ictcore.post("/transmissions", {"program_id": program, "phone": f"+{FIRST_NUMBER}"})
    await ictcore.post(f"/transmissions/{sent['transmission_id']}/send")

    async def called() -> bool:
        return bool((await phones.journal())[0])

    await until(called)
    [file] = (home / "sounds" / "rec").glob("*.alaw")
    loud = np.frombuffer(file.read_bytes().translate(PCMA.loud), dtype=np.uint8)
    frames = loud[:len(loud) // FRAME * FRAME].reshape(-1, FRAME).sum(axis=1)
    return Prompt(str(file.with_suffix("")), len(frames), int((frames >= AUDIBLE).sum()))


def _contacts(count: int) -> Iterator[str]:
    return (f"+{FIRST_NUMBER + place},Anna,Muster\n" for place in range(count))


def voice(seconds: float) -> bytes:
    """A WAV with a sound that is never silent: three tones of a voice's range."""
    at = np.arange(round(seconds * RATE)) / RATE
    samples = sum(np.sin(2 * np.pi * hertz * at) for hertz in (310, 740, 1270)) * 6000
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(np.asarray(samples, dtype="<i2").tobytes())
    return file.getvalue()
