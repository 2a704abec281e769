"""What becomes of programs: their steps, and what is wrong with them, as tables."""

from typing import Any

import pytest

from engine.policy.scheme import SchemeInvalid, recordings_of, steps_of, texts_of, transfers_of
from engine.vocabulary.program import ProgramStep

SAY = {"type": "say", "data": {"text": "hello"}}


def ivr(scheme: Any, **data: Any) -> tuple[ProgramStep, ...]:
    return steps_of("ivr", {"ivr_scheme": scheme, **data})


def only(node: Any) -> ProgramStep:
    step, = ivr({"0": node})
    return step


def problem(scheme: Any) -> tuple[str, str]:
    with pytest.raises(SchemeInvalid) as found:
        ivr(scheme)
    return found.value.field, found.value.problem


# --- types

def test_a_voice_message_is_played() -> None:
    assert steps_of("voicemessage", {"recording_id": "7"}) == (ProgramStep("play", "play", recording_id=7),)


def test_a_text_is_spoken_again_after_its_delay() -> None:
    steps = steps_of("voicetts", {"text": " Fire! ", "delay": "2"})
    assert [(it.kind, it.text, it.seconds, it.links) for it in steps] == [
        ("say", "Fire!", 0.0, (("", 1),)), ("wait", "", 2.0, (("", 2),)), ("say", "Fire!", 0.0, ())]


@pytest.mark.parametrize("delay", [{}, {"delay": 0}, {"delay": "0"}, {"delay": None}])
def test_without_a_delay_a_text_is_spoken_once(delay: dict[str, Any]) -> None:
    assert steps_of("voicetts", {"text": "Fire!", **delay}) == (ProgramStep("say", "say", text="Fire!"),)


@pytest.mark.parametrize("type_", ["agent", "forward"])
def test_agent_and_forward_lead_to_the_extensions_phone(type_: str) -> None:
    assert steps_of(type_, {"extension_id": 1, "to": "+49 30 555"}) == (
        ProgramStep("transfer", "transfer", to="4930555"),)


@pytest.mark.parametrize(("type_", "data", "field"), [
    ("voicemessage", {}, "recording_id"),
    ("voicemessage", {"recording_id": 0}, "recording_id"),
    ("voicemessage", {"recording_id": True}, "recording_id"),
    ("voicemessage", {"recording_id": 1.5}, "recording_id"),
    ("voicetts", {}, "text"),
    ("voicetts", {"text": "  "}, "text"),
    ("voicetts", {"text": "x" * 1001}, "text"),
    ("voicetts", {"text": "a\0"}, "text"),
    ("voicetts", {"text": ["a"]}, "text"),
    ("voicetts", {"text": "a", "delay": -1}, "delay"),
    ("voicetts", {"text": "a", "delay": "soon"}, "delay"),
    ("agent", {"extension_id": 1}, "extension_id"),
    ("forward", {"to": "reception"}, "extension_id"),
    ("ivr", {}, "ivr_scheme"),
    ("sendfax", {"document_id": 1}, "type"),
])
def test_what_is_wrong_with_fields(type_: str, data: dict[str, Any], field: str) -> None:
    with pytest.raises(SchemeInvalid) as found:
        steps_of(type_, data)
    assert found.value.field == field


# --- nodes of an ivr

@pytest.mark.parametrize(("node", "step"), [
    ({"type": "play", "data": {"recording_id": 3}}, ProgramStep("play", "play", recording_id=3)),
    ({"type": "voice_play", "data": {"message": "3"}}, ProgramStep("play", "voice_play", recording_id=3)),
    ({"type": "play", "data": {"text": "hi"}}, ProgramStep("say", "play", text="hi")),
    ({"type": "TTS", "data": {"text": 5}}, ProgramStep("say", "tts", text="5")),
    ({"type": "menu", "data": {"text": "?", "valid": 12}}, ProgramStep("menu", "menu", text="?", valid="12")),
    ({"type": "play_menu", "data": {"recording_id": 3, "valid": "0*", "tries": 1, "key_timeout": 4, "name": "choice"}},
     ProgramStep("menu", "choice", recording_id=3, valid="0*", tries=1, timeout_s=4)),
    ({"type": "input", "data": {"text": "?"}}, ProgramStep("input", "input", text="?", digits=1)),
    ({"type": "input", "data": {"text": "?", "digits": 99, "timeout": 3}},
     ProgramStep("input", "input", text="?", digits=99, timeout_s=3)),
    ({"type": "record"}, ProgramStep("record", "record", seconds=120.0)),
    ({"type": "record", "data": {"seconds": 9, "text": "?"}}, ProgramStep("record", "record", text="?", seconds=9.0)),
    ({"type": "wait", "data": {"ms": 1500}}, ProgramStep("wait", "wait", seconds=1.5)),
    ({"type": "wait", "data": {"seconds": "2"}}, ProgramStep("wait", "wait", seconds=2.0)),
    ({"type": "transfer", "data": {"to": "+49 (30) 555-1"}}, ProgramStep("transfer", "transfer", to="49305551")),
    ({"type": "amd", "data": []}, ProgramStep("amd", "amd")),
    ({"type": "dnc"}, ProgramStep("dnc", "dnc")),
    ({"type": "disconnect", "links": {"": 0}}, ProgramStep("disconnect", "disconnect")),
])
def test_nodes(node: Any, step: ProgramStep) -> None:
    assert only(node) == step


@pytest.mark.parametrize(("node", "field"), [
    ("say", ""),
    ({}, ".type"),
    ({"type": "say_digit"}, ".type"),
    ({"type": "callerid_set", "data": {"text": "a"}}, ".type"),
    ({"type": "say", "data": "hello"}, ".data"),
    ({"type": "say"}, ".data.text"),
    ({"type": "play"}, ".data.text"),
    ({"type": "play", "data": {"text": "a", "recording_id": 1}}, ".data.text"),
    ({"type": "play", "data": {"recording_id": "a"}}, ".data.recording_id"),
    ({"type": "menu", "data": {"valid": "1"}}, ".data.text"),
    ({"type": "menu", "data": {"text": "?"}}, ".data.valid"),
    ({"type": "menu", "data": {"text": "?", "valid": "1#"}}, ".data.valid"),
    ({"type": "menu", "data": {"text": "?", "valid": "11"}}, ".data.valid"),
    ({"type": "menu", "data": {"text": "?", "valid": "1", "tries": 0}}, ".data.tries"),
    ({"type": "menu", "data": {"text": "?", "valid": "1", "key_timeout": 61}}, ".data.key_timeout"),
    ({"type": "input", "data": {"text": "?", "digits": 100}}, ".data.digits"),
    ({"type": "input", "data": {"text": "?", "name": "[age]"}}, ".data.name"),
    ({"type": "input", "data": {"text": "?", "name": "x" * 65}}, ".data.name"),
    ({"type": "record", "data": {"seconds": 121}}, ".data.seconds"),
    ({"type": "wait"}, ".data.ms"),
    ({"type": "wait", "data": {"ms": 120_001}}, ".data.ms"),
    ({"type": "wait", "data": {"seconds": float("nan")}}, ".data.seconds"),
    ({"type": "transfer"}, ".data.to"),
    ({"type": "transfer", "data": {"to": "reception"}}, ".data.to"),
    ({"type": "transfer", "data": {"hotline_id": 1}}, ".data.hotline_id"),
])
def test_what_is_wrong_with_a_node(node: Any, field: str) -> None:
    assert problem({"3": node, "0": SAY})[0] == f"ivr_scheme.nodes.3{field}"


def test_a_node_that_is_not_supported_is_named() -> None:
    assert problem([{"type": "say_digit"}]) == ("ivr_scheme.nodes.0.type", "'say_digit' is not supported")


def test_what_numbers_of_transfers_stand_for_comes_from_outside() -> None:
    scheme = {"a": {"type": "transfer", "data": {"to": "030 555"}, "links": {"error": "b"}},
              "b": {"type": "transfer", "data": {"hotline_id": 4}}}
    assert [(it.key, it.data.values) for it in transfers_of({"ivr_scheme": scheme})] == [
        ("a", {"to": "030 555"}), ("b", {"hotline_id": 4})]
    assert [it.to for it in ivr(scheme, numbers={"a": "+4930555", "b": "4930666"})] == ["4930555", "4930666"]


def test_recordings_and_texts() -> None:
    steps = ivr([{**SAY, "links": {"": 1}}, {"type": "play", "data": {"recording_id": 3}}])
    assert (recordings_of(steps), texts_of(steps)) == ({3}, {"hello"})
