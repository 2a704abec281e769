"""RINGWARD_WEBHOOK_ALLOW: read at start, refused at start."""

import pytest
from pydantic import ValidationError

from engine.settings import Settings, networks


def test_networks_and_addresses_are_separated_by_comma() -> None:
    found = networks("10.0.0.0/8, fd00::/8 ,192.0.2.7,")
    assert [str(it) for it in found] == ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"]
    assert networks("") == []


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0/8;fd00::/8", "10.0.0.*"])
def test_what_is_no_network_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_WEBHOOK_ALLOW", text)
    with pytest.raises(ValidationError, match="webhook_allow"):
        Settings()
