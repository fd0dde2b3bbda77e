"""A map of what was observed, and how: jurisdictions by periods, a panel a stage."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..canvas import DPI, LIGHT, MID, PX, WIDTH, canvas, shorten, svg_of
from ..document import Figure, Table
from ..observed import EXPLAINED, STATES
from ..view import View
from ..wording import say

ID: Final = "figure-known"
_NAMES, _NARROWEST = 90.0, 2.5  # points: beside the panels; of a period
# Dark to light in greyscale; hatching tells apart what is close in lightness.
LOOKS: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": "#1f4e79"},
    {"facecolor": "#5f89b3"},
    {"facecolor": "#9db8d2", "hatch": "////", "edgecolor": "#1f4e79"},
    {"facecolor": "#d9c7b8", "hatch": "----", "edgecolor": "#8a3b10"},
    {"facecolor": "#f1eee9", "hatch": "\\\\\\\\", "edgecolor": "#9aa3ab"},
    {"facecolor": "#ffffff"},
)


def draw(view: View, table: Table) -> Figure:
    """One panel a stage after the first; ``table`` counts the cells of each kind."""
    states = view.observed.states
    stages = list(range(1, len(view.stages)))
    places, periods = view.observed.places, view.axes["period"].leaves
    row = 10.5 if len(places) <= 60 else max(2.0, 620 / len(places))
    # Side by side the panels share the names of their rows, and fit on a printed page.
    across = len(stages) <= 2 or _NARROWEST * len(stages) * len(periods) <= (WIDTH - _NAMES)
    height = 58 + (row * len(places) + 34 if across else (row * len(places) + 40) * len(stages))
    ticks = 4 if across and len(stages) > 2 else 6
    title = "What is known, and how"
    with canvas(ID, WIDTH, height) as figure:
        shape = (1, len(stages)) if across else (len(stages), 1)
        grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
        for axes, stage in zip(grid.flat, stages, strict=True):
            _panel(axes, states[stage])
            axes.set_title(view.stages[stage].replace("_", " "))
            every = max(1, -(-len(periods) // ticks))
            at = range(0, len(periods), every)
            axes.set_xticks([i + 0.5 for i in at], [view.label("period", periods[i]) for i in at])
            axes.tick_params(axis="x", length=0, pad=1)
            for label in axes.get_xticklabels():
                label.set(rotation=50, ha="right", va="top", rotation_mode="anchor")
            if row >= 7:
                names = [shorten(view.label("jurisdiction", p), 18) for p in places]
                axes.set_yticks(np.arange(len(places)) + 0.5, names)
            else:
                axes.set_yticks([])
            axes.tick_params(axis="y", length=0)
        keys = [
            Patch(**({"edgecolor": LIGHT} | look), label=name, lw=0.5)
            for name, look in zip(STATES, LOOKS, strict=True)
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, handlelength=2.2, handleheight=1.2)
        parts = []
        for stage in stages:
            counts = np.bincount(states[stage].ravel(), minlength=len(STATES))
            said = ", ".join(f"{n} {say(name)}" for n, name in zip(counts, STATES, strict=True) if n)
            parts.append(f"{view.stages[stage]}: {said}")
        alt = say("Grid of jurisdictions by periods, a panel a stage. Cells: {cells}.").format(
            cells="; ".join(parts)
        )
        svg = svg_of(figure, ID, title, alt)
    caption = (
        "; ".join(f"{say(name)}: {say(meaning)}" for name, meaning in EXPLAINED.items()).capitalize() + "."
    )
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def _panel(axes: Axes, states: NDArray[np.int8]) -> None:
    """Neighbouring periods of one state are drawn as one bar, which keeps the file small."""
    for code, look in enumerate(LOOKS):
        padded = np.pad((states == code).astype(np.int8), ((0, 0), (1, 1)))
        y, start = np.nonzero(np.diff(padded, axis=1) == 1)
        _, end = np.nonzero(np.diff(padded, axis=1) == -1)
        if len(y):
            boxes = [
                [(a, r + 0.04), (b, r + 0.04), (b, r + 0.96), (a, r + 0.96)]
                for r, a, b in zip(y.tolist(), start.tolist(), end.tolist(), strict=True)
            ]
            axes.add_collection(PolyCollection(boxes, lw=0, **({"edgecolor": LIGHT} | look)), autolim=False)
    axes.set_xlim(0, states.shape[1])
    axes.set_ylim(states.shape[0], 0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(True)
        axes.spines[side].set_color(MID)
