"""Settings of several trunks."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.policy.trunks import Trunk
from engine.settings import Settings

ALPINE = {"name": "alpine", "address": "198.51.100.7:5060", "cps": 20, "channels": 100, "prefixes": ["43", "41"]}


def test_the_main_trunk_is_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_TRUNKS", json.dumps([ALPINE]))
    settings = Settings(home=tmp_path, trunk="10.0.0.1:5060", trunk_cps=10, trunk_channels=30)
    assert settings.trunk_list() == (Trunk("trunk", 10, 30), Trunk("alpine", 20, 100, ("43", "41")))
    assert settings.trunk_addresses() == {"trunk": "10.0.0.1:5060", "alpine": "198.51.100.7:5060"}


def test_a_file_says_them_as_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ringward.toml"
    file.write_text('rounds = 7\n[[trunks]]\nname = "b"\naddress = "10.0.0.2:5060"\n')
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    assert Settings(home=tmp_path).trunk_list()[1:] == (Trunk("b", 50, 500),)


@pytest.mark.parametrize("trunks", [
    [{**ALPINE, "name": "trunk"}], [ALPINE, ALPINE], [{**ALPINE, "name": "A"}], [{**ALPINE, "name": "a;b"}],
    [{**ALPINE, "prefixes": ["+43"]}], [{**ALPINE, "cps": 0}], [{"name": "b"}], [{**ALPINE, "cpss": 5}],
    [{**ALPINE, "name": "p12"}],
])
def test_a_wrong_trunk_is_refused(tmp_path: Path, trunks: list[dict[str, object]]) -> None:
    with pytest.raises(ValidationError, match="trunks"):
        Settings(home=tmp_path, trunks=trunks)  # type: ignore[arg-type]


def test_acknowledgements_are_kept_in_the_home(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).acks == tmp_path / "acks"
    assert Settings(home=tmp_path, acks_dir=tmp_path / "else").acks == tmp_path / "else"


def test_a_folder_is_the_same_for_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(home=tmp_path, acks_dir=Path("acknowledged"), sounds_dir=Path("spoken"))
    assert (settings.acks, settings.sounds_dir) == (tmp_path / "acknowledged", tmp_path / "spoken")
