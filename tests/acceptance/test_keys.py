"""The question and its answer: a wrong key, a key before the question is over."""

from engine.softphone.listening import find
from tests.acceptance.endings import ends
from tests.acceptance.voices import question, they_talk


async def test_a_wrong_key_is_asked_again_and_rung_again_in_the_next_round(town):
    await town.hotline(agents=1)
    caller = await town.calls()
    phone = town.phone(1)
    await phone.rung()
    phone.answer()
    await phone.heard(0.2)
    phone.press("5")
    asked = await question(town)
    await phone.heard(0.2 + asked.size / 8000)
    phone.press("#")
    await phone.ended()
    assert phone.call.cause == 16

    await town.accepts(1, times=2)
    await they_talk(caller, phone.call)
    caller.hang_up()
    await phone.ended(timeout_s=1, times=2)
    asked_in_vain = ["agentCalled 1", "agentAnswered 1", "agentNoAnswer 1"]
    talk = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]
    await ends(
        town, "answered", ["callerConnected", *asked_in_vain, *talk, "callerHangup"],
        ["caller answered 16", "phone 1 noAnswer 16", "phone 1 answered 16"],
    )


async def test_the_key_counts_before_the_question_is_over(town):
    await town.hotline(agents=1)
    caller = await town.calls()
    phone = town.phone(1)
    await phone.rung()
    phone.answer()
    await phone.heard(0.02)
    phone.press("1", seconds=0.06)
    asked = await question(town)
    await they_talk(caller, phone.call)
    assert find(asked, phone.call.received).value < 0.9  # it was cut
    caller.hang_up()
    await phone.ended(timeout_s=1)
    talk = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]
    await ends(
        town, "answered", ["callerConnected", *talk, "callerHangup"], ["caller answered 16", "phone 1 answered 16"])
