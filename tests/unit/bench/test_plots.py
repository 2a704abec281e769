"""Plots that a page shows without loading anything."""

import re
from pathlib import Path

import pytest

from bench import plots


def test_a_plot_has_its_series_and_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "PICTURES", tmp_path)
    file = plots.lines("rates", "Calls", "calls/s", ["10", "50"], {"ours": [9.0, 45.0], "bare": [9.1, None]})
    text = file.read_text()
    assert file.name == "bench-rates.svg" and text.startswith("<svg")
    assert "ours" in text and "bare" in text
    assert "<script" not in text and not re.search(r"(href|src)=.https?:", text) and "@import" not in text
