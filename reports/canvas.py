"""Drawing: one look for every figure, and SVG that is the same bytes each time."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .numbers import CHANGES, Scale, factor_of, number

INK: Final = "#1c2126"
MID: Final = "#5b6670"
LIGHT: Final = "#b9c2ca"
PALE: Final = "#e6eaee"
ACCENT: Final = "#1f4e79"
SECOND: Final = "#b9541d"
WIDTH: Final = 360.0  # points; shown on a telephone as it is, a little larger elsewhere
DPI: Final = 72
PX: Final = 96 / 72  # CSS pixels a point

# Measured in DejaVu, which Matplotlib brings along and is wider than what browsers put in its place: text set
# in any of these stays inside the room measured for it.
_FONTS: Final = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MID,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "xtick.color": MID,
    "ytick.color": MID,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "path.simplify": True,
}


@contextmanager
def canvas(id: str, width: float, height: float) -> Iterator[Canvas]:
    """An empty figure of a size in points, under the common style."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": id}):
        figure = Canvas(figsize=(width / DPI, height / DPI), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure


def svg_of(figure: Canvas, id: str, title: str, alt: str) -> str:
    """The figure as one SVG document with title and description, ids of its own, and no date.

    Call inside the ``canvas`` block. The ids that nothing refers to are dropped and the others prefixed, so
    that several figures can stand in one page.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    used = set(re.findall(r"""(?:url\(#|href="#)([^)"]+)""", text))
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{id}-{m.group(1)}"' if m.group(1) in used else "", text)
    text = re.sub(r"""(url\(#|href="#)""", rf"\g<1>{id}-", text)
    text = text.replace("'DejaVu Sans'", _FONTS)
    words = f"<title>{html.escape(title)}</title><desc>{html.escape(alt)}</desc>"
    return re.sub(r"(<svg[^>]*>)", lambda m: m.group(1) + words, text, count=1)


def rate_axis(axes: Axes, scale: Scale, which: Literal["x", "y"] = "x", bins: int = 4) -> None:
    """Round ticks in per cent, percentage points or plain numbers, with a light grid along them."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
    factor = factor_of(scale)
    ticks = np.asarray(axis.get_majorticklocs()) * factor
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else 1.0
    places = max(0, math.ceil(-math.log10(step) - 1e-9))
    unit = " %" if scale == "percent" else ""
    signed = scale in CHANGES
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v * factor, places, signed=signed) + unit))
    axes.grid(axis=which)


def shorten(text: str, length: int = 28) -> str:
    """A label that fits beside a plot."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
