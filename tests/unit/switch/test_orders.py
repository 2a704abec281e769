"""Commands as actions: what exactly goes to Asterisk."""

import pytest

from engine.switch.asterisk import orders
from engine.switch.asterisk.encoder import NotEncodable
from engine.vocabulary.commands import Bridge, Dial, HangUp, Hold, Play, Reject, SwitchCommand

CALLER = "1795291439.7"
AGENT = "6b8f6d0e-1111-4222-8333-444455556666"
CHANNEL = "PJSIP/trunk-0000000a"
TRUNK = "127.0.0.1:5080"


def actions(command: SwitchCommand) -> list[dict[str, list[str]]]:
    """Each action as header → values."""
    found = []
    for block in orders.order(command, TRUNK, 5).decode().removesuffix("\r\n\r\n").split("\r\n\r\n"):
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
    assert dial["Channel"] == [f"PJSIP/trunk/sip:4917012345@{TRUNK}"]
    assert dial["ActionID"] == dial["ChannelId"] == [AGENT]
    assert (dial["Context"], dial["Timeout"], dial["CallerID"], dial["Async"]) == (
        ["rw-ask"], ["25000"], ["4930123"], ["true"])
    assert dial["Variable"] == ["RW_ASK=cache/ask", "RW_TAKEN=de/taken", "RW_TRIES=3", f"RW_PEER={CHANNEL}",
                                "GROUP(rw-phone)=4917012345"]


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
    Bridge(CALLER, "", AGENT), Bridge(CALLER, CHANNEL, "6b8f6d0e"),
])
def test_nothing_else_goes_out(command: SwitchCommand) -> None:
    with pytest.raises(NotEncodable):
        orders.order(command, TRUNK, 1)


def test_a_row_is_put_by_the_dialplan_and_deleted_by_a_function() -> None:
    text = orders.put(AGENT, "rw/4930", "7:1:2").decode()
    assert "Context: rw-put\r\n" in text and "Variable: RW_K=rw/4930\r\nVariable: RW_V=7:1:2\r\n" in text
    assert ("Variable", "DB_DELETE(rw/4930)") in orders.delete("rw/4930")
    with pytest.raises(NotEncodable):
        orders.delete("rw/4930)=${X}")


def test_a_renewal_names_leg_and_seconds() -> None:
    assert b"Channel: 1795291439.7\r\nTimeout: 10\r\n" in orders.renewal(CALLER, 10)
