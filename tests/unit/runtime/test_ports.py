"""Addresses: parsing, free ports, taken ones."""

import socket

import pytest

from engine.runtime.folders import RuntimeFailed
from engine.runtime.ports import Address


@pytest.mark.parametrize("text", ["127.0.0.1", ":5060", "127.0.0.1:65536", "a b:1", "127.0.0.1:1;x", "h:-1", "h:1\n"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RuntimeFailed, match="HOST:PORT"):
        Address.parse(text)


def test_port_0_becomes_a_free_one() -> None:
    chosen = Address.parse("127.0.0.1:0").chosen(socket.SOCK_DGRAM)
    assert chosen.port > 0
    assert chosen.problem(socket.SOCK_DGRAM) is None
    assert Address.parse(str(chosen)) == chosen


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_port_is_named(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        address = Address("127.0.0.1", taken.getsockname()[1])
        assert str(address) in (address.problem(kind) or "")
