"""The graph of an ICTCore `ivr` program: nodes by index, each with type, data and links. Read by `scheme.py`.

    {"0": {"type": "menu", "data": {"text": "Press 1.", "valid": "1"},
           "links": {"outgoing": [{"node": 1, "label": "1"}, {"node": 2, "label": "timeout"}]}}, …}

A list of nodes is as good as an object, and so are links as `{"1": 3, "timeout": 4, "": 5}`. Nothing of a node's data
is looked at here but what its kind says of labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.policy.scheme_fields import DIGITS, SHOWN, Fields, SchemeInvalid, written

MOST_NODES = 100
PATH = "ivr_scheme"
START = "start"
# How ICTCore and its clients call the kinds of `ProgramStep`.
KINDS: Mapping[str, str] = {
    "play": "play", "voice_play": "play", "say": "say", "tts": "say", "menu": "menu", "play_menu": "menu",
    "input": "input", "record": "record", "wait": "wait", "transfer": "transfer", "amd": "amd", "dnc": "dnc",
    "disconnect": "disconnect"}
OWN_LABELS: Mapping[str, frozenset[str]] = {
    "menu": frozenset({"timeout"}), "input": frozenset({"timeout"}), "amd": frozenset({"human", "machine"})}
LABELS = frozenset({"", "success", "error"})
AT_ONCE = frozenset({"amd", "dnc", "transfer"})     # kinds that may end without having taken any time


@dataclass(frozen=True, slots=True)
class Node:
    """`links`: label → the key of the next node, never that of a `start`."""

    key: str
    kind: str
    type: str
    data: Fields
    links: Mapping[str, str]

    @property
    def path(self) -> str:
        return _path(self.key)


@dataclass(frozen=True, slots=True)
class _Link:
    field: str
    label: str
    to: str


@dataclass(frozen=True, slots=True)
class _Raw:
    type: str
    data: Fields
    links: Sequence[_Link]


def nodes_of(scheme: Any) -> Sequence[Node]:
    """The first one first, then by their keys, also those to which nothing leads. Raises SchemeInvalid."""
    raw = {key: _raw(key, value) for key, value in _members(scheme)}
    if not raw:
        raise SchemeInvalid(PATH, "has no nodes")
    for one in raw.values():
        for link in one.links:
            if link.to not in raw:
                raise SchemeInvalid(link.field, f"there is no node {link.to[:SHOWN]!r}")
    starts = {key: _behind(key, raw) for key, one in raw.items() if one.type == START}
    if len(starts) > 1:
        raise SchemeInvalid(_path(sorted(starts, key=_order)[1]), "there is more than one start")
    nodes = {key: _node(key, one, starts) for key, one in raw.items() if key not in starts}
    first = next(iter(starts.values())) if starts else min(nodes, key=_order)
    for node in nodes.values():
        if node.kind in AT_ONCE and node.key in _at_once_behind(node, nodes):
            raise SchemeInvalid(f"{node.path}.links", "runs in a circle in which nobody hears or does anything")
    return [nodes[first], *(nodes[key] for key in sorted(nodes.keys() - {first}, key=_order))]


def _members(scheme: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(scheme, Mapping) and isinstance(scheme.get("nodes"), Mapping | list):
        scheme = scheme["nodes"]
    if not isinstance(scheme, Mapping | list):
        raise SchemeInvalid(PATH, "must be an object of nodes")
    if len(scheme) > MOST_NODES:
        raise SchemeInvalid(PATH, f"must have at most {MOST_NODES} nodes")
    for key, value in scheme.items() if isinstance(scheme, Mapping) else enumerate(scheme):
        name = written(key)
        if not name or len(name) > SHOWN or not name.replace("_", "a").replace("-", "a").isalnum():
            raise SchemeInvalid(PATH, "nodes are named by numbers, letters, _ and -")
        yield name, value


def _raw(key: str, value: Any) -> _Raw:
    if not isinstance(value, Mapping):
        raise SchemeInvalid(_path(key), "must be an object with type, data and links")
    type_ = (written(value.get("type")) or "").strip().lower()
    if type_ != START and type_ not in KINDS:
        raise SchemeInvalid(f"{_path(key)}.type", f"{type_[:SHOWN]!r} is not supported" if type_ else "is required")
    data = value.get("data") or {}
    if not isinstance(data, Mapping):
        raise SchemeInvalid(f"{_path(key)}.data", "must be an object")
    return _Raw(type_, Fields(data, f"{_path(key)}.data."), list(_links(f"{_path(key)}.links", value.get("links"))))


def _links(path: str, links: Any) -> Iterator[_Link]:
    if isinstance(links, Mapping) and ("outgoing" in links or "incoming" in links):
        path, links = f"{path}.outgoing", links.get("outgoing")
    if not isinstance(links, Mapping | list | None):
        raise SchemeInvalid(path, "must be a list of links, or an object")
    for name, link in links.items() if isinstance(links, Mapping) else enumerate(links or ()):
        field = f"{path}.{str(name)[:SHOWN]}"
        is_plain = not isinstance(link, Mapping)
        label, to = (name, link) if is_plain else (link.get("label"), link.get("node"))
        if is_plain and not isinstance(links, Mapping):
            raise SchemeInvalid(field, "must be an object with node and label")
        read, key = written(label), written(to)
        if read is None or not key:
            raise SchemeInvalid(field, "needs a node, and a label that is text")
        yield _Link(field, read.strip().lower(), key)


def _behind(key: str, raw: Mapping[str, _Raw]) -> str:
    """The first node behind a start."""
    links = raw[key].links
    if len({it.to for it in links}) != 1 or raw[links[0].to].type == START:
        raise SchemeInvalid(f"{_path(key)}.links", "a start leads to exactly one node")
    return links[0].to


def _node(key: str, raw: _Raw, starts: Mapping[str, str]) -> Node:
    kind = KINDS[raw.type]
    links: dict[str, str] = {}
    for link in raw.links if kind != "disconnect" else ():
        label = link.label
        if label == "*" and not _is_star_key(kind, raw.data):
            label = ""
        if not _fits(kind, raw.data, label):
            raise SchemeInvalid(link.field, f"{label[:SHOWN]!r} is no way in which {raw.type} ends")
        if label in links:
            raise SchemeInvalid(link.field, f"a second link for {label!r}")
        links[label] = starts.get(link.to, link.to)
    return Node(key, kind, raw.type, raw.data, links)


def _is_star_key(kind: str, data: Fields) -> bool:
    return kind == "menu" and "*" in (written(data.values.get("valid")) or "")


def _fits(kind: str, data: Fields, label: str) -> bool:
    if label in LABELS or label in OWN_LABELS.get(kind, ()):
        return True
    if kind == "menu":
        return len(label) == 1 and label in (written(data.values.get("valid")) or "")
    return kind == "input" and set(label) <= DIGITS


def _at_once_behind(node: Node, nodes: Mapping[str, Node]) -> set[str]:
    """Keys that may be reached from it before any time has passed."""
    open_ = list(node.links.values())
    seen: set[str] = set()
    while open_:
        key = open_.pop()
        if key not in seen and nodes[key].kind in AT_ONCE:
            seen.add(key)
            open_ += nodes[key].links.values()
    return seen


def _order(key: str) -> tuple[bool, int, str]:
    """Numbers as numbers, before names."""
    is_number = set(key) <= DIGITS
    return not is_number, int(key) if is_number else 0, key


def _path(key: str) -> str:
    return f"{PATH}.nodes.{key}"
