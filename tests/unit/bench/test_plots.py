"""The plots of the benches: drawn of what was measured."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.plots import draw


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


def test_each_plot_shows_what_was_measured(tmp_path: Path) -> None:
    assert draw(MEASURED, tmp_path) == ["bench-throughput.svg", "bench-cpu.svg", "bench-latency.svg"]
    assert "against call files" in text_of(tmp_path / "bench-throughput.svg")
    assert "saturation, 400 live calls" in text_of(tmp_path / "bench-throughput.svg")
    assert "postgres" in text_of(tmp_path / "bench-cpu.svg")
    assert "recovery: SIGKILL" in text_of(tmp_path / "bench-latency.svg")


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    assert draw(MEASURED[-1:], tmp_path) == ["bench-latency.svg"]
    assert draw([], tmp_path) == []


def test_a_plot_asks_nobody_for_a_script(tmp_path: Path) -> None:
    draw(MEASURED, tmp_path)
    assert all("<script xlink" not in file.read_text() for file in tmp_path.iterdir())
