import pytest

from engine.softphone import Behaviour, Carrier
from engine.softphone.audio import chirp
from engine.softphone.listening import correlation


async def test_a_mailbox_greets_and_never_presses(here, there):
    greeting = chirp(9, 0.6)
    phone = there.phone("491511", Behaviour.mailbox(greeting, after_s=0.01))
    call = await here.call("4930", "491511", audio=chirp(1, 0.5), loop_audio=True)
    await call.heard(0.55)
    await phone.heard(0.5)
    assert correlation(greeting, call.received) > 0.9
    assert not phone.happened("dtmf sent")


async def test_conditions_count_over_the_phones_life(here, there):
    phone = there.phone("491511", Behaviour.rejects(480, after_s=0))
    for _ in range(2):
        await (await here.call("4930", "491511")).final()
    assert (await phone.rung(times=2)).at > (await phone.rung()).at
    assert len(phone.entries) > 4


async def test_keys_with_a_pause_between_them(here, there):
    then_press = ((0.1, "*"), (0.4, "1"))
    phone = there.phone("491511", Behaviour(answer_after_s=0, then_press=then_press))
    call = await here.call("4930", "491511", audio=chirp(1, 0.5), loop_audio=True)
    await here.journal.wait(lambda entry: entry.what == "dtmf" and entry.detail == "1", "the 1", 3)
    star, one = phone.happened("dtmf sent")
    assert (star.detail, one.detail) == ("*", "1") and one.at - star.at > 0.2
    call.hang_up()


async def test_a_phone_that_is_busy_and_answers_the_next_time(here, there):
    phone = there.phone("491511", Behaviour.rejects(after_s=0).with_(next_time=Behaviour.answers(0)))
    assert await (await here.call("4930", "491511")).final() == 486
    for _ in range(2):
        call = await here.call("4930", "491511")
        await call.answered()
        call.hang_up()
        await call.ended()
    assert len(phone.calls) == 3


async def test_a_phone_driven_by_hand(here, there):
    phone = there.phone("491511")
    call = await here.call("4930", "491511")
    await phone.rung()
    phone.answer()
    await call.answered()
    phone.press("5")
    await here.journal.wait(lambda entry: entry.what == "dtmf" and entry.detail == "5", "the 5", 3)
    phone.hang_up()
    await call.ended()


def test_a_phone_that_was_never_called_has_no_call():
    with pytest.raises(LookupError, match="491511 was never called"):
        _ = Carrier().phone("491511").call


def test_two_phones_cannot_have_one_number():
    carrier = Carrier()
    carrier.phone("491511")
    with pytest.raises(ValueError, match="491511"):
        carrier.phone("491511")
