"""Plots of what was measured, as SVG files in docs/pictures that load nothing from anywhere."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle

# pygal leaves a finder for plug-ins of its own, of a kind that Python warns of at every import from then on
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
PICTURES = Path(__file__).parent.parent / "docs" / "pictures"


_LIVELY = re.compile(r"<script.*?</script>|<!--.*?-->", re.DOTALL)  # for readers who move a mouse
Series = Mapping[str, Sequence[float | None]]


def lines(name: str, title: str, unit: str, across: Sequence[str], series: Series) -> Path:
    """A line a series over the same values `across`; None leaves a gap."""
    chart = pygal.Line(title=title, y_title=unit, style=CleanStyle, js=[], width=800, height=420,
                       include_x_axis=True, legend_at_bottom=True, disable_xml_declaration=True, no_prefix=True)
    chart.x_labels = list(across)
    for label, values in series.items():
        chart.add(label, list(values))
    file = PICTURES / f"bench-{name}.svg"
    file.write_text(_LIVELY.sub("", chart.render(is_unicode=True)) + "\n")
    return file
