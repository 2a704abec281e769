"""The plots of docs/benchmarks.md, drawn from the lines of results.json at the end of `make bench`.

Pure but for `draw`. A plot whose figures have not been measured yet is not drawn, and the page shows what is there.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

# pygal's finder of its maps, which we have none of, knows imports only as they were before Python 3.4, and each later
# import warns of it
sys.meta_path[:] = [it for it in sys.meta_path if type(it).__module__ != "pygal"]

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
Line = Mapping[str, Any]
LOOK = Style(background="white", plot_background="white", font_family="sans-serif", title_font_size=15,
             colors=("#1f5fa8", "#d9822b", "#3a8f4d", "#8a4fa3", "#b23b3b"))
OPTIONS = {"style": LOOK, "js": (), "width": 820, "height": 420, "no_prefix": True, "legend_at_bottom": True,
           "pretty_print": True}
_CPU = re.compile(r"(?P<part>[a-z ]+), CPU a call at (?P<rate>\d+) calls/s")
_RATIO = re.compile(r"(?P<at>.+): ours / (?P<baseline>.+)")


def draw(lines: Sequence[Line], folder: Path = PICTURES) -> list[str]:
    """The names of the files that were written."""
    charts = {"bench-throughput.svg": throughput(lines), "bench-cpu.svg": cpu(lines),
              "bench-latency.svg": latency(lines)}
    written = []
    for name, chart in charts.items():
        if chart is not None:
            chart.render_to_file(str(folder / name))
            written.append(name)
    return written


def throughput(lines: Iterable[Line]) -> Any:
    """Our calls a second as a share of each baseline's, by how many live calls there may be."""
    found = [(it["at"], it["baseline"], line["figure"]) for it, line in _matching(_RATIO, lines, "throughput")]
    if not found:
        return None
    places = list(dict.fromkeys(at for at, _, _ in found))
    chart = pygal.Line(title="Campaign calls a second, as a share of the baseline's", range=(0, 1.1),
                       x_labels=places, **OPTIONS)
    for baseline in dict.fromkeys(name for _, name, _ in found):
        values = {at: figure for at, name, figure in found if name == baseline}
        chart.add(f"against {baseline}", [values.get(at) for at in places])
    return chart


def cpu(lines: Iterable[Line]) -> Any:
    """Milliseconds of CPU a campaign call, by part and rate; the load phones are no part of us."""
    found = [(it["part"], int(it["rate"]), line["figure"]) for it, line in _matching(_CPU, lines, "engine_cost")
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


def latency(lines: Iterable[Line]) -> Any:
    """Every time with an upper bound, as a share of that bound: 100 % is as much as is allowed."""
    found = [(line, _bound(line["goal"])) for line in lines if line["unit"] in ("ms", "s") and line["goal"][:1] == "≤"]
    if not found:
        return None
    chart = pygal.HorizontalBar(title="Times, as a share of what is allowed (%)", show_legend=False,
                                **{**OPTIONS, "height": 120 + 26 * len(found)},
                                x_labels=[f"{line['bench']}: {line['name']}" for line, _ in reversed(found)])
    chart.add("", [round(100 * line["figure"] / bound, 1) for line, bound in reversed(found)])
    return chart


def _matching(pattern: re.Pattern[str], lines: Iterable[Line], bench: str) -> Iterator[tuple[re.Match[str], Line]]:
    for line in lines:
        if line["bench"] == bench and (it := pattern.fullmatch(line["name"])):
            yield it, line


def _bound(goal: str) -> float:
    return float(goal.removeprefix("≤").strip().replace(",", ""))
