"""No voice yet, or none at all: callers are served all the same, with the recorded prompts."""

import socket

from engine.softphone.listening import find
from tests.acceptance.voices import sound


async def greeted(town):
    """What a caller of the hotline hears first is the recorded default."""
    await town.engine_is_back()     # until then callers are the dialplan's
    caller = await town.calls()
    await town.phone(1).rung()
    await caller.heard(2)
    caller.hang_up()
    await town.phone(1).ended()
    return find(sound(town, "de/welcome")[:8000], caller.received).value


async def status(town):
    (made,) = town.hotlines
    found = await town.directory.hotline(town.organisation_id, made.hotline_id)
    return found.status


async def test_a_hotline_that_is_starting_plays_the_recorded_default(quick_asterisk, open_town):
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        port = never_answers.getsockname()[1]
        town = await open_town(quick_asterisk, voice=f"http:http://127.0.0.1:{port}/")
        made = await town.hotline(agents=1, ready=False)
        await town.until(lambda: town.switch_knows(made.number[1:]), "the switch knows the hotline")
        assert await greeted(town) >= 0.8
        assert await status(town) == "starting"


async def test_a_hotline_that_cannot_be_spoken_is_an_error_and_takes_calls(quick_asterisk, open_town):
    town = await open_town(quick_asterisk, voice="piper:/no/such/voice.onnx")
    await town.hotline(agents=1, ready=False)

    async def failed():
        return await status(town) == "error"

    await town.until(failed, "the hotline is in error")
    assert await greeted(town) >= 0.8
