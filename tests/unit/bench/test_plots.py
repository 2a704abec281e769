"""Plots that a page shows without loading anything."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import plots


def test_a_plot_has_its_series_and_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "PICTURES", tmp_path)
    file = plots.lines("rates", "Calls", "calls/s", ["10", "50"], {"ours": [9.0, 45.0], "bare": [9.1, None]})
    text = file.read_text()
    assert file.name == "bench-rates.svg" and text.startswith("<svg")
    assert "ours" in text and "bare" in text
    assert "<script" not in text and not re.search(r"(href|src)=.https?:", text) and "@import" not in text


def line(bench: str, name: str, figure: float, unit: str = "", goal: str = "") -> dict[str, Any]:
    return {"bench": bench, "name": name, "figure": figure, "unit": unit, "goal": goal}


MEASURED = [
    line("throughput", "10 live calls: ours / AMI loop", 0.99, goal="≥ 0.98"),
    line("throughput", "saturation, 400 live calls: ours / AMI loop", 0.91, goal="≥ 0.9"),
    line("throughput", "10 live calls: ours / call files", 1.2, goal="≥ 0.98"),
    line("engine_cost", "engine, CPU a call at 50 calls/s", 1.5, "ms", "≤ 2"),
    line("engine_cost", "postgres, CPU a call at 50 calls/s", 1.1, "ms"),
    line("recovery", "SIGKILL → every caller", 1.4, "s", "≤ 2"),
]


def text_of(file: Path) -> str:
    return " ".join(ElementTree.parse(file).getroot().itertext())  # noqa: S314 -- ours


def test_each_plot_shows_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "PICTURES", tmp_path)
    assert plots.draw(MEASURED) == [tmp_path / f"bench-{name}.svg" for name in ("shares", "cpu", "times")]
    assert "against call files" in text_of(tmp_path / "bench-shares.svg")
    assert "saturation, 400 live calls" in text_of(tmp_path / "bench-shares.svg")
    assert "postgres" in text_of(tmp_path / "bench-cpu.svg")
    assert "recovery: SIGKILL" in text_of(tmp_path / "bench-times.svg")


def test_what_was_not_measured_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "PICTURES", tmp_path)
    assert plots.draw(MEASURED[-1:]) == [tmp_path / "bench-times.svg"]
    assert plots.draw([]) == []
