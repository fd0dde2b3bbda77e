"""Prior against posterior: the rate at the root, and the parameters that say how much units differ."""

from __future__ import annotations

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..canvas import ACCENT, DPI, MID, PX, SECOND, WIDTH, canvas, rate_axis, svg_of
from ..document import Figure, Table
from ..wording import say

ID: Final = "figure-prior"


def draw(rows: pd.DataFrame, table: Table) -> Figure:
    """Intervals of prior and posterior, one above the other.

    ``rows``: panel (its title), scale, name, and points of both, ``prior_low`` (2.5 %), ``prior_q25`` …
    ``posterior_high`` (97.5 %).
    """
    panels = list(dict.fromkeys(rows["panel"]))
    sizes = [max(1, int((rows["panel"] == name).sum())) for name in panels]
    title = "Prior against posterior"
    with canvas(ID, WIDTH, 60 + sum(24 * n + 34 for n in sizes)) as figure:
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=sizes)
        for axes, name in zip(grid[:, 0], panels, strict=True):
            block = rows[rows["panel"] == name]
            for y, row in enumerate(block.to_dict("records")):
                _line(axes, y - 0.17, row, "prior", SECOND, "s")
                _line(axes, y + 0.17, row, "posterior", ACCENT, "o")
            axes.set_yticks(range(len(block)), list(block["name"]))
            axes.set_ylim(len(block) - 0.4, -0.6)
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
            axes.set_title(name)
            axes.set_xlim(left=0)
            rate_axis(axes, block["scale"].iloc[0])
        keys = [
            Line2D([], [], color=SECOND, lw=1, marker="s", ms=4, mfc="white", label="prior"),
            Line2D([], [], color=ACCENT, lw=1, marker="o", ms=4, label="posterior"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
        alt = say(
            "{rows} quantities, each with the median and the 50 and 95 percent intervals of its prior above "
            "those of its posterior. The table holds the values."
        ).format(rows=len(rows))
        svg = svg_of(figure, ID, title, alt)
    caption = "Where the two lie on each other, the data said nothing. Thick: 50 %; thin: 95 %."
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def _line(axes: Axes, y: float, row: dict[str, float], side: str, color: str, marker: str) -> None:
    low, high = row[f"{side}_low"], row[f"{side}_high"]
    if pd.notna(low):
        axes.plot([low, high], [y, y], color=color, lw=1, solid_capstyle="butt")
    if pd.notna(row[f"{side}_q25"]):
        ends = [row[f"{side}_q25"], row[f"{side}_q75"]]
        axes.plot(ends, [y, y], color=color, lw=3, solid_capstyle="butt")
    if pd.notna(row[f"{side}_q50"]):
        face = color if side == "posterior" else "white"
        axes.plot(row[f"{side}_q50"], y, marker, ms=4, mfc=face, mec=color)
    else:
        axes.text(0, y, " not published", va="center", color=MID, fontsize=7)
