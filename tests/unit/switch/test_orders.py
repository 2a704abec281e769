"""Commands as actions: what exactly goes to Asterisk."""

from dataclasses import replace

import pytest

from engine.switch.asterisk import orders
from engine.switch.asterisk.encoder import NotEncodable
from engine.switch.asterisk.orders import Way
from engine.vocabulary.commands import (
    AskAlarm,
    Bridge,
    Dial,
    DialAlarm,
    DialProgram,
    HangUp,
    Hold,
    Play,
    Reject,
    RunStep,
    SwitchCommand,
    Transfer,
)
from engine.vocabulary.program import Prompt
from engine.vocabulary.values import AlarmAsk

CALLER = "1795291439.7"
AGENT = "6b8f6d0e-1111-4222-8333-444455556666"
CHANNEL = "PJSIP/trunk-0000000a"
TRUNK = "127.0.0.1:5080"
TRUNKS = {"trunk": Way("trunk.0123abcd", TRUNK), "alpine-2": Way("alpine-2.0123abcd", "198.51.100.7:5060"),
          "p7": Way("p7.4567cdef", "sip.example.org:5070", (("49", "0"), ("", "00")))}
ASK = AlarmAsk("cache/9f", "de", "1", "9", "0471")


def actions(command: SwitchCommand) -> list[dict[str, list[str]]]:
    """Each action as header → values."""
    found = []
    for block in orders.order(command, TRUNKS, 5).decode().removesuffix("\r\n\r\n").split("\r\n\r\n"):
        headers: dict[str, list[str]] = {}
        for line in block.split("\r\n"):
            name, _, value = line.partition(": ")
            headers.setdefault(name, []).append(value)
        found.append(headers)
    return found


def test_play_sets_its_sound_and_says_in_the_extension_what_comes_after() -> None:
    sound, redirect = actions(Play(CALLER, "cache/9f", then="bye", cause=26))
    assert (sound["Variable"], sound["Value"]) == (["RW_F"], ["cache/9f"])
    assert redirect == {"Action": ["Redirect"], "ActionID": [f"to:rw-play,bye26:{CALLER}:5"], "Channel": [CALLER],
                        "Context": ["rw-play"], "Exten": ["bye26"], "Priority": ["1"]}


@pytest.mark.parametrize(("command", "verb"), [
    (Play(CALLER, "cache/9f"), ["rw-play", "hold"]), (Hold(CALLER), ["rw-hold", "s"]),
    (Reject(CALLER, 17), ["rw-reject", "17"]),
])
def test_a_verb_is_one_redirect(command: SwitchCommand, verb: list[str]) -> None:
    redirect = actions(command)[-1]
    assert [*redirect["Context"], *redirect["Exten"]] == verb


def test_dial_originates_into_the_question() -> None:
    (dial,) = actions(Dial(AGENT, "4917012345", "4930123", 25, "cache/ask", "de/taken", 3, CHANNEL))
    assert dial["Channel"] == [f"PJSIP/trunk.0123abcd/sip:4917012345@{TRUNK}"]
    assert dial["ActionID"] == dial["ChannelId"] == [AGENT]
    assert (dial["Context"], dial["Timeout"], dial["CallerID"], dial["Async"]) == (
        ["rw-ask"], ["25000"], ["4930123"], ["true"])
    assert dial["Variable"] == ["GROUP(rw-phone)=4917012345", "RW_ASK=cache/ask", "RW_TAKEN=de/taken", "RW_TRIES=3",
                                f"RW_PEER={CHANNEL}"]


def test_an_alarm_is_dialled_by_the_trunk_of_its_name() -> None:
    (dial,) = actions(DialAlarm(AGENT, "4917012345", "alpine-2", "4930123", 25, ASK))
    assert dial["Channel"] == ["PJSIP/alpine-2.0123abcd/sip:4917012345@198.51.100.7:5060"]
    assert dial["ActionID"] == dial["ChannelId"] == [AGENT]
    assert (dial["Context"], dial["Timeout"], dial["CallerID"]) == (["rw-alarm"], ["25000"], ["4930123"])
    assert dial["Variable"] == ["GROUP(rw-phone)=4917012345", "RW_F=cache/9f", "RW_VO=de", "RW_K=1", "RW_DK=9",
                                "RW_PIN=0471", "RW_PT=3", "RW_AMD="]


def test_a_provider_gets_numbers_as_it_wants_them_and_the_phone_is_counted_by_its_own() -> None:
    for number, there in (("4917012345", "017012345"), ("43123", "0043123")):
        (dial,) = actions(DialAlarm(AGENT, number, "p7", "4930123", 25, ASK))
        assert dial["Channel"] == [f"PJSIP/p7.4567cdef/sip:{there}@sip.example.org:5070"]
        assert dial["Variable"][0] == f"GROUP(rw-phone)={number}"


def test_who_called_back_is_asked_by_a_redirect() -> None:
    *variables, redirect = actions(AskAlarm(CALLER, replace(ASK, amd=True)))
    assert [(one["Variable"][0], one["Value"][0]) for one in variables] == [
        ("RW_F", "cache/9f"), ("RW_VO", "de"), ("RW_K", "1"), ("RW_DK", "9"), ("RW_PIN", "0471"),
        ("RW_PT", "3"), ("RW_AMD", "1")]
    assert [*redirect["Context"], *redirect["Exten"]] == ["rw-alarm", "s"]


def test_a_refused_pin_does_not_go_out() -> None:
    (dial,) = actions(DialAlarm(AGENT, "49170", "trunk", "4930", 25, replace(ASK, pin_tries=0)))
    assert "RW_PIN=x" in dial["Variable"] and "0471" not in str(dial)


def test_bridge_names_the_caller_and_gives_the_agents_id() -> None:
    talk, talk_too, bridge = actions(Bridge(CALLER, CHANNEL, AGENT))
    assert (talk["Channel"], talk_too["Channel"]) == ([CALLER], [AGENT])
    assert talk["Variable"] == ["RW_ST"] and talk["Value"] == ["talk"]
    assert (bridge["Channel1"], bridge["Channel2"], bridge["Tone"]) == ([CHANNEL], [AGENT], ["no"])
    assert bridge["ActionID"] == [f"bridge:{CALLER}:{AGENT}"]


def test_hang_up_gives_its_cause() -> None:
    (hang_up,) = actions(HangUp(AGENT, 26))
    assert (hang_up["Action"], hang_up["Channel"], hang_up["Cause"]) == (["Hangup"], [AGENT], ["26"])


@pytest.mark.parametrize("command", [
    Dial(AGENT, "49301&PJSIP/x", "4930", 25, "a", "b", 3, CHANNEL),
    Dial(AGENT, "4930", "Eve <1>", 25, "a", "b", 3, CHANNEL),
    Dial(AGENT, "4930", "4930", 25, "a,RW_X=1", "b", 3, CHANNEL),
    Dial("x", "4930", "4930", 25, "a", "b", 3, CHANNEL),
    Dial(AGENT, "4930", "4930", 25, "a", "b", 3, "PJSIP/a,b"),
    Play(CALLER, "${SHELL(id)}"), Play(CALLER, "../etc\r\nAction: Logoff"), HangUp("all", 16),
    DialAlarm(AGENT, "49170", "nowhere", "4930", 25, ASK), DialAlarm(AGENT, "49170", "Trunk/x", "4930", 25, ASK),
    *(DialAlarm(AGENT, "49170", "trunk", "4930", 25, replace(ASK, **wrong)) for wrong in (
        {"key": ""}, {"key": "*"}, {"key": "11"}, {"decline_key": "*"}, {"pin": "x"}, {"pin": "1" * 13}, {"voice": ""},
        {"voice": "../"}, {"message": "a&b"}, {"message": "a,RW_PIN="})),
    AskAlarm(CALLER, replace(ASK, pin="${X}")),
    Bridge(CALLER, "", AGENT), Bridge(CALLER, CHANNEL, "6b8f6d0e"),
])
def test_nothing_else_goes_out(command: SwitchCommand) -> None:
    with pytest.raises(NotEncodable):
        orders.order(command, TRUNKS, 1)


def test_a_row_is_put_by_the_dialplan_and_deleted_by_a_function() -> None:
    text = orders.put(AGENT, "rw/4930", "7:1:2").decode()
    assert "Context: rw-put\r\n" in text and "Variable: RW_K=rw/4930\r\nVariable: RW_V=7:1:2\r\n" in text
    assert ("Variable", "DB_DELETE(rw/4930)") in orders.delete("rw/4930")
    with pytest.raises(NotEncodable):
        orders.delete("rw/4930)=${X}")


def test_a_renewal_names_leg_and_seconds() -> None:
    assert b"Channel: 1795291439.7\r\nTimeout: 10\r\n" in orders.renewal(CALLER, 10)


# --- programs ----------------------------------------------------------------------------------------------------

STEPS = [
    (Prompt("play", 3, "cache/9f", is_last=True), {"RW_F": "cache/9f"}),
    (Prompt("collect", 3, "cache/9f", digits=4, timeout_s=7), {"RW_F": "cache/9f", "RW_MAX": "4", "RW_TO": "7"}),
    (Prompt("collect", 3, "", digits=1, timeout_s=1), {"RW_F": "", "RW_MAX": "1", "RW_TO": "1"}),
    (Prompt("collect", 3, "a", digits=1, timeout_s=1, is_last=True, is_last_by_key=True),
     {"RW_F": "a", "RW_MAX": "1", "RW_TO": "1"}),
    (Prompt("record", 3, seconds=30.0, file="7-2"), {"RW_R": "7-2", "RW_SEC": "30"}),
    (Prompt("pause", 3, seconds=2.5), {"RW_SEC": "2.5"}),
    (Prompt("amd", 3), {}),
]
LAST = {(False, False): "00", (True, False): "10", (False, True): "01", (True, True): "11"}


@pytest.mark.parametrize(("prompt", "told"), STEPS, ids=lambda it: getattr(it, "verb", ""))
def test_a_program_is_dialled_into_its_first_step(prompt: Prompt, told: dict[str, str]) -> None:
    (dial,) = actions(DialProgram(AGENT, "4917012345", "alpine-2", "4930123", 25, prompt))
    assert dial["Channel"] == ["PJSIP/alpine-2.0123abcd/sip:4917012345@198.51.100.7:5060"]
    assert dial["ActionID"] == dial["ChannelId"] == [AGENT]
    assert (dial["Context"], dial["Exten"], dial["Priority"]) == (["rw-step"], [prompt.verb], ["first"])
    assert dial["Variable"] == [
        "GROUP(rw-phone)=4917012345", "TIMEOUT(absolute)=900", "RW_S=3",
        f"RW_LAST={LAST[prompt.is_last, prompt.is_last_by_key]}",
        *(f"{name}={value}" for name, value in told.items())]


@pytest.mark.parametrize(("prompt", "told"), STEPS, ids=lambda it: getattr(it, "verb", ""))
def test_the_next_step_is_a_redirect_with_its_variables(prompt: Prompt, told: dict[str, str]) -> None:
    *variables, redirect = actions(RunStep(AGENT, prompt))
    said = {one["Variable"][0]: one["Value"][0] for one in variables}
    assert said == {"RW_S": "3", "RW_LAST": LAST[prompt.is_last, prompt.is_last_by_key], **told}
    assert (redirect["Context"], redirect["Exten"], redirect["Channel"]) == (["rw-step"], [prompt.verb], [AGENT])
    assert redirect["ActionID"] == [f"to:rw-step,{prompt.verb}:{AGENT}:5"]


def test_who_is_handed_to_a_hotline_arrives_with_his_own_number() -> None:
    number, redirect = actions(Transfer(AGENT, "4930555", "4917012345"))
    assert (number["Variable"], number["Value"]) == (["RW_NUM"], ["4917012345"])
    assert (redirect["Context"], redirect["Exten"]) == (["rw-transfer"], ["4930555"])


def test_two_legs_that_we_dialled_are_joined_by_their_ids() -> None:
    other = AGENT.replace("6b", "7c")
    *_, bridge = actions(Bridge(AGENT, "", other))
    assert (bridge["Channel1"], bridge["Channel2"]) == ([AGENT], [other])
    with pytest.raises(NotEncodable):
        actions(Bridge(CALLER, "", other))


@pytest.mark.parametrize("command", [
    RunStep(AGENT, Prompt("play,1", 1, "cache/9f")), RunStep(AGENT, Prompt("", 1)), RunStep(AGENT, Prompt("Play", 1)),
    RunStep(AGENT, Prompt("record", 1, seconds=9, file="../7-1")), RunStep(AGENT, Prompt("record", 1, seconds=9)),
    RunStep(AGENT, Prompt("record", 1, seconds=9, file="7-1.wav")),
    RunStep(AGENT, Prompt("play", 1, "cache/9f\r\nAction: Originate")), Transfer(AGENT, "4930x", "49"),
    Transfer(AGENT, "", "49"), Transfer(AGENT, "4930", "+49"),
    DialProgram(AGENT, "4930", "nowhere", "49", 25, Prompt("amd", 1)),
    DialProgram(AGENT, "0030-1", "trunk", "49", 25, Prompt("amd", 1)),
], ids=repr)
def test_nothing_else_goes_to_the_switch(command: SwitchCommand) -> None:
    with pytest.raises(NotEncodable):
        actions(command)
