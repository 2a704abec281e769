"""Plots of what was measured, as SVG files in docs/pictures that load nothing from anywhere.

`lines` is for a bench that draws what it alone knows; `draw` makes, at the end of `make bench`, those that are made of
the lines of results.json. What was not measured yet is not drawn, and the page shows what is there.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

# pygal leaves a finder for plug-ins of its own, of a kind that Python warns of at every import from then on
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"

_LIVELY = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)  # for readers who move a mouse
OPTIONS = {"style": CleanStyle, "js": [], "width": 800, "height": 420, "legend_at_bottom": True,
           "disable_xml_declaration": True, "no_prefix": True}
_CPU = re.compile(r"(?P<part>[a-z ]+), CPU a call at (?P<rate>\d+) calls/s")
_RATIO = re.compile(r"(?P<at>.+): ours / (?P<baseline>.+)")
Series = Mapping[str, Sequence[float | None]]
Line = Mapping[str, Any]


def lines(name: str, title: str, unit: str, across: Sequence[str], series: Series) -> Path:
    """A line a series over the same values `across`; None leaves a gap."""
    chart = pygal.Line(title=title, y_title=unit, include_x_axis=True, **OPTIONS)
    chart.x_labels = list(across)
    for label, values in series.items():
        chart.add(label, list(values))
    return _written(name, chart)


def _written(name: str, chart: Any) -> Path:
    file = PICTURES / f"bench-{name}.svg"
    file.write_text(_LIVELY.sub("", chart.render(is_unicode=True)) + "\n")
    return file


def draw(measured: Sequence[Line]) -> list[Path]:
    """The files that were written."""
    charts = {"shares": shares(measured), "cpu": cpu(measured), "times": times(measured)}
    return [_written(name, chart) for name, chart in charts.items() if chart is not None]


def shares(measured: Iterable[Line]) -> Any:
    """Our calls a second as a share of each baseline's, by how many live calls there may be."""
    found = [(it["at"], it["baseline"], line["figure"]) for it, line in _matching(_RATIO, measured, "throughput")]
    if not found:
        return None
    places = list(dict.fromkeys(at for at, _, _ in found))
    chart = pygal.Line(title="Campaign calls a second, as a share of the baseline's",
                       x_labels=places, include_x_axis=True, **OPTIONS)
    for baseline in dict.fromkeys(name for _, name, _ in found):
        values = {at: figure for at, name, figure in found if name == baseline}
        chart.add(f"against {baseline}", [values.get(at) for at in places])
    return chart


def cpu(measured: Iterable[Line]) -> Any:
    """Milliseconds of CPU a campaign call, by part and rate; the load phones are no part of us."""
    found = [(it["part"], int(it["rate"]), line["figure"]) for it, line in _matching(_CPU, measured, "engine_cost")
             if it["part"] != "load phones"]
    if not found:
        return None
    rates = sorted({rate for _, rate, _ in found})
    chart = pygal.StackedBar(title="CPU a campaign call, milliseconds", y_title="ms",
                             x_labels=[f"{rate} calls/s" for rate in rates], **OPTIONS)
    for part in dict.fromkeys(name for name, _, _ in found):
        values = {rate: figure for name, rate, figure in found if name == part}
        chart.add(part, [values.get(rate) for rate in rates])
    return chart


def times(measured: Iterable[Line]) -> Any:
    """Every time with an upper bound, as a share of that bound: 100 % is as much as is allowed."""
    found = [(line, _bound(line["goal"])) for line in measured
             if line["unit"] in ("ms", "s") and line["goal"][:1] == "≤"]
    if not found:
        return None
    chart = pygal.HorizontalBar(title="Times, as a share of what is allowed (%)", show_legend=False,
                                **{**OPTIONS, "height": 120 + 26 * len(found)},
                                x_labels=[f"{line['bench']}: {line['name']}" for line, _ in reversed(found)])
    chart.add("", [round(100 * line["figure"] / bound, 1) for line, bound in reversed(found)])
    return chart


def _matching(pattern: re.Pattern[str], measured: Iterable[Line], bench: str) -> Iterator[tuple[re.Match[str], Line]]:
    for line in measured:
        if line["bench"] == bench and (it := pattern.fullmatch(line["name"])):
            yield it, line


def _bound(goal: str) -> float:
    return float(goal.removeprefix("≤").strip().replace(",", ""))
