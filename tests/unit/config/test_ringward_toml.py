"""config/ringward.toml says all settings and their true defaults."""

import re
import tomllib

import pytest

from engine.runtime.folders import PROJECT
from engine.settings import Settings

TEXT = (PROJECT / "config" / "ringward.toml").read_text()


def test_every_setting_stands_there_with_its_default() -> None:
    written = tomllib.loads("\n".join(re.findall(r"^# (\w+ = .*)$", TEXT, re.M)))
    fields = {name: field.default for name, field in Settings.model_fields.items()}
    assert list(written) == list(fields)
    assert {name: value for name, value in written.items() if value != ""} == {
        name: str(value) if name == "home" else value for name, value in fields.items() if value not in ("", None)}


def test_nothing_is_set_by_the_file_as_it_comes() -> None:
    assert tomllib.loads(TEXT) == {}


def test_a_setting_of_the_file_counts_less_than_a_variable(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ringward.toml"
    file.write_text("rounds = 7\nask_tries = 2\n")
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    monkeypatch.setenv("RINGWARD_ROUNDS", "9")
    found = Settings(home=tmp_path)
    assert (found.rounds, found.ask_tries) == (9, 2)
