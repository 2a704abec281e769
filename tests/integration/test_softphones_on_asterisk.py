"""The software phones against a real Asterisk with a small dialplan of this file: what they send is understood, what
they receive is right. Whoever doubts an acceptance test looks here first.
"""

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.runtime.asterisk import Asterisk, launch_asterisk, prepare, with_free_ports
from engine.runtime.folders import open_home
from engine.runtime.ports import Address
from engine.settings import Settings
from engine.softphone import Behaviour, Carrier
from engine.softphone.audio import chirp, silence, write_wav
from engine.softphone.listening import correlation, hears, longest_silence_s
from engine.switch.asterisk.endpoints import endpoint

PROMPT = chirp(99, 1.5)
MINE, THEIRS = chirp(1, 0.5), chirp(2, 0.5)  # several turns in what is heard: a busy machine may disturb one
DIALPLAN = """
[general]
static = yes
[globals]
TRUNK={trunk}
[rw-in]
exten => 493000,1,Answer()
 same => n,Set(FROM=${{CHANNEL(pjsip,remote_uri)}})
 same => n,Set(CALLERID(num)=${{FILTER(0-9,${{CUT(FROM,@,1)}})}})
 same => n,Read(DIGIT,{prompt},1,,1,5)
 same => n,GotoIf($["${{DIGIT}}" = "1"]?rw-in,493001,1)
 same => n,Hangup(17)
exten => 493001,1,Dial(PJSIP/{via}/sip:491511@${{TRUNK}},10)
exten => 493002,1,Dial(PJSIP/{via}/sip:491511@${{TRUNK}}&PJSIP/{via}/sip:491512@${{TRUNK}},10)
exten => 493003,1,Progress()
 same => n,Playback({prompt},noanswer)
 same => n,Wait(5)
exten => _X.,2,Hangup(${{HANGUPCAUSE}})
"""


@pytest.fixture(scope="module")
def switch(asterisk_program) -> Iterator[Asterisk]:
    home = open_home(Path(tempfile.mkdtemp(prefix="rw-test-")))
    trunk = str(Address("127.0.0.1", 0).chosen(socket.SOCK_DGRAM))
    settings = with_free_ports(Settings(home=home.path, sip="127.0.0.1:0", ami_port=0, ari_port=0, trunk=trunk))
    argv = prepare(home, settings, asterisk_program)
    write_wav(home.private / "prompt.wav", PROMPT)
    dialplan = DIALPLAN.format(trunk=trunk, via=endpoint("trunk", settings.ami_secret), prompt=home.private / "prompt")
    (home.private / "asterisk" / "extensions.conf").write_text(dialplan)
    server = Asterisk(home, settings, argv, launch_asterisk(home, argv))
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home.private, ignore_errors=True)
        shutil.rmtree(home.path, ignore_errors=True)


@pytest.fixture
async def carrier(switch: Asterisk) -> AsyncIterator[Carrier]:
    trunk, sip = Address.parse(switch.trunk), Address.parse(switch.sip)
    async with Carrier(trunk.host, trunk.port, switch=(sip.host, sip.port)) as carrier:
        yield carrier


@pytest.mark.parametrize("codecs", [("PCMA",), ("PCMU",)])
@pytest.mark.parametrize("events", [True, False], ids=["rfc4733", "in-band"])
async def test_prompt_key_and_talk(carrier, codecs, events):
    phone = carrier.phone("491511", Behaviour(answer_after_s=0.02, audio=THEIRS, loop_audio=True))
    call = await carrier.call("491709", "493000", codecs=codecs, events=events)
    await call.answered()
    await call.heard(1.3)
    assert hears(call.received, PROMPT)
    call.press("1")
    talk = await phone.answered()
    assert phone.call.caller == "491709"
    call.play(MINE, loop=True)
    await call.heard(call.recording.sound_s + 1.8)
    await phone.heard(1.8)
    heard = call.recording.pcm(from_at=talk.at)
    assert correlation(THEIRS, heard) >= 0.95 and correlation(MINE, heard) <= 0.2
    assert correlation(MINE, phone.call.received) >= 0.95 and correlation(THEIRS, phone.call.received) <= 0.2
    call.hang_up()
    assert (await phone.ended()).cause == 16


async def test_a_wrong_key_is_told_from_the_right_one(carrier):
    call = await carrier.call("491709", "493000")
    await call.heard(0.3)
    call.press("7")
    assert (await call.ended()).cause == 17


async def test_the_phone_that_lost_is_told_completed_elsewhere(carrier):
    first, second = carrier.phone("491511"), carrier.phone("491512")
    call = await carrier.call("491709", "493002")
    await first.rung()
    await second.rung()
    first.answer()
    assert (await second.cancelled()).cause == 26
    await call.answered()
    first.hang_up()
    await call.ended()


async def test_a_caller_who_gives_up_is_no_completed_elsewhere(carrier):
    phone = carrier.phone("491511")
    call = await carrier.call("491709", "493001")
    await phone.rung()
    call.hang_up()
    assert (await phone.cancelled()).cause != 26
    assert await call.final() == 487


async def test_a_rejection_reaches_the_caller(carrier):
    carrier.phone("491511", Behaviour.rejects(486, after_s=0.01))
    call = await carrier.call("491709", "493001")
    assert await call.final() == 486


async def test_early_media_before_any_answer(carrier):
    call = await carrier.call("491709", "493003")
    await call.heard(1.3)
    assert hears(call.received, PROMPT) and call.answered_at is None
    call.hang_up()
    assert await call.final() == 487


async def test_a_call_from_another_address_is_refused(carrier):
    call = await carrier.call("491709", "493000", source=("127.0.0.2", 0))
    assert await call.final() in (401, 403)


async def test_a_call_from_another_port_of_the_trunk_is_taken(carrier):
    call = await carrier.call("491709", "493000", source=("127.0.0.1", 0))
    assert await call.final() == 200


async def test_a_stream_without_holes(carrier):
    carrier.phone("491511", Behaviour(answer_after_s=0.02, audio=chirp(5), loop_audio=True))
    call = await carrier.call("491709", "493001", audio=silence(0.1))
    await call.heard(1.5)
    assert longest_silence_s(call.recording.pcm(from_at=call.recording.first_sound_at)) <= 0.04
    assert call.recording.longest_gap_s < 0.2
