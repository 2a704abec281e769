"""The graph of an ivr: how it may be written, where it begins, which links and circles it may have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.policy.scheme import SchemeInvalid, steps_of
from engine.vocabulary.program import ProgramStep

DOCS = Path(__file__).resolve().parents[3] / "docs" / "ictcore.md"
MENU = {"text": "?", "valid": "1"}


def node(type_: str = "say", links: Any = None, **data: Any) -> dict[str, Any]:
    return {"type": type_, "data": data or {"text": type_}, "links": links}


def ivr(scheme: Any) -> tuple[ProgramStep, ...]:
    return steps_of("ivr", {"ivr_scheme": scheme})


def problem(scheme: Any) -> str:
    with pytest.raises(SchemeInvalid) as found:
        ivr(scheme)
    return found.value.field


def test_the_scheme_of_the_documentation() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8").split("\n## Programs")[1], re.DOTALL)
    scheme = next(it for it in map(json.loads, blocks) if "0" in it)
    steps = ivr(scheme)
    assert [(it.kind, it.name, it.links) for it in steps] == [
        ("say", "say", (("", 1),)), ("menu", "menu", (("1", 2), ("9", 5))),
        ("input", "age", (("", 3), ("timeout", 5))), ("say", "say", (("", 4),)), ("record", "wish", ()),
        ("dnc", "dnc", ())]
    assert (steps[1].valid, steps[1].timeout_s, steps[2].digits, steps[4].seconds) == ("19", 5, 2, 5.0)


@pytest.mark.parametrize("links", [
    {"outgoing": [{"node": 1, "label": "1"}, {"node": "2", "label": ""}], "incoming": [{"node": 2, "label": "x"}]},
    {"outgoing": {"0": {"node": 1, "label": "1"}, "1": {"node": 2}}},
    {"outgoing": {"1": 1, "": 2}},
    [{"node": "1", "label": " 1 "}, {"node": 2, "label": None}],
    {"1": 1, "*": "2"},
])
def test_ways_to_write_links(links: Any) -> None:
    scheme = [node("menu", links, **MENU), node(), node()]
    for written in (scheme, dict(enumerate(scheme)), {str(key): it for key, it in enumerate(scheme)},
                    {"nodes": scheme}):
        assert ivr(written)[0].links == (("1", 1), ("", 2))


def test_a_star_is_a_key_where_it_is_valid() -> None:
    links = {"*": 1, "": 0}
    assert ivr([node("menu", links, text="?", valid="1*"), node()])[0].links == (("*", 1), ("", 0))
    assert problem([node("menu", links, text="?", valid="1"), node()]) == "ivr_scheme.nodes.0.links."


@pytest.mark.parametrize(("scheme", "kinds"), [
    ({"10": node("dnc"), "9": node("amd", {"": 10})}, ["amd", "dnc"]),                  # the lowest key, as a number
    ({"b": node("dnc"), "a": node("amd", {"": "b"})}, ["amd", "dnc"]),
    ({"0": node("dnc"), "5": node("start", {"": 7}), "7": node("amd", {"": 0})}, ["amd", "dnc"]),
    ({"0": node("dnc", {"": 5}), "5": node("start", {"": 7}), "7": node("say", {"": 0})}, ["say", "dnc"]),
    ({"0": node("dnc"), "1": node("amd")}, ["dnc", "amd"]),                             # nobody comes to node 1
])
def test_where_it_begins(scheme: Any, kinds: list[str]) -> None:
    assert [it.kind for it in ivr(scheme)] == kinds


def test_a_link_back_to_the_start_leads_behind_it() -> None:
    assert ivr([node("start", {"": 1}), node("say", {"": 0})])[0].links == (("", 0),)


@pytest.mark.parametrize(("scheme", "field"), [
    (None, ""), ("say", ""), ([], ""), ({}, ""), ([node()] * 101, ""), ({"a b": node()}, ""), ({"": node()}, ""),
    ([node("say", {"": 1})], ".nodes.0.links."),
    ([node("say", {"outgoing": [{"node": 1}]})], ".nodes.0.links.outgoing.0"),
    ([node("say", {"outgoing": [{"label": ""}]})], ".nodes.0.links.outgoing.0"),
    ([node("say", {"outgoing": [1]})], ".nodes.0.links.outgoing.0"),
    ([node("say", "1")], ".nodes.0.links"),
    ([node("say", {"1": 0})], ".nodes.0.links.1"),                  # saying something ends with no key
    ([node("menu", {"2": 0}, **MENU)], ".nodes.0.links.2"),
    ([node("menu", {"human": 0}, **MENU)], ".nodes.0.links.human"),
    ([node("input", {"a": 0}, text="?")], ".nodes.0.links.a"),
    ([node("say", [{"node": 0}, {"node": 0, "label": "*"}])], ".nodes.0.links.1"),
    ([node("start")], ".nodes.0.links"),
    ([node("start", {"": 0})], ".nodes.0.links"),
    ([node("start", {"": 1, "error": 2}), node(), node()], ".nodes.0.links"),
    ([node("start", {"": 2}), node("start", {"": 2}), node()], ".nodes.1"),
])
def test_what_is_wrong_with_a_graph(scheme: Any, field: str) -> None:
    assert problem(scheme) == f"ivr_scheme{field}"


@pytest.mark.parametrize("kind", ["say", "menu", "input", "record", "wait"])
def test_a_circle_in_which_somebody_is_waited_for(kind: str) -> None:
    data = {**MENU, "ms": 5, "seconds": 5, "valid": "1"}
    assert len(ivr([node("amd", {"machine": 1}), node(kind, {"": 2}, **data), node("dnc", {"": 0})])) == 3


@pytest.mark.parametrize("scheme", [
    [node("amd", {"machine": 0})],
    [node("amd", {"machine": 1}), node("dnc", {"": 0})],
    [node("say", {"": 1}), node("amd", {"human": 0, "machine": 2}), node("transfer", {"": 1}, to="+4930555")],
])
def test_a_circle_in_which_nothing_takes_any_time(scheme: Any) -> None:
    assert problem(scheme).endswith(".links")


def test_a_hundred_nodes_in_a_row() -> None:
    nodes = [node("dnc", {"": place + 1}) for place in range(99)]
    assert len(ivr([*nodes, node("disconnect")])) == 100
