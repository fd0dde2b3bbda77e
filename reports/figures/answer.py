"""Rates by offense with their intervals and the bounds of the data, a panel a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..canvas import ACCENT, DPI, INK, LIGHT, MID, PALE, PX, WIDTH, canvas, rate_axis, shorten, svg_of
from ..companions import withheld
from ..document import Figure, Table
from ..view import View
from ..wording import say

ID = "figure-answer"
PANELS = 3
LETTER = 4.6  # points, about the mean width of a letter


def draw(view: View, table: Table) -> Figure:
    """Interval plot of the answer; ``table`` holds the same rows."""
    main, finite = view.rates("offense"), view.rates("offense", "finite")
    steps = [step for step in view.steps if (main["step"] == step.name).any()]
    every = list(dict.fromkeys(main["offense"]))
    told = set(main.loc[main["median"].notna(), "offense"])
    # Of a row that is empty in every panel the table says all there is.
    nodes = [node for node in every if node in told] or every
    main = main[main["offense"].isin(nodes)]
    columns = min(PANELS, len(steps))
    labels = ["  " * view.axes["offense"].depth(n) + shorten(view.label("offense", n), 22) for n in nodes]
    lines = -(-len(steps) // columns)
    width, height = WIDTH, lines * (56 + max(60, 19 * len(nodes))) + 40
    title = say("Rates by offense: {place}").format(place=view.place)
    alt = _alt(view, main)
    with canvas(ID, width, height) as figure:
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for axes in grid.flat[len(steps) :]:
            axes.set_visible(False)
        for axes, step in zip(grid.flat, steps, strict=False):
            one = main[main["step"] == step.name].set_index("offense")
            two = finite[finite["step"] == step.name].set_index("offense")
            top = _top(one)
            for y, node in enumerate(nodes):
                if node in one.index:
                    beside = two.loc[node].to_dict() if node in two.index else None
                    _row(axes, y, top, one.loc[node].to_dict(), beside)
            axes.set_title(step.title.replace("→ ", "→\n"))
            axes.set_ylim(len(nodes) - 0.4, -0.6)
            axes.set_yticks(range(len(nodes)), labels)
            for label in axes.get_yticklabels():
                label.set_horizontalalignment("left")
            axes.tick_params(axis="y", length=0, pad=LETTER * max(map(len, labels)))
            axes.spines["left"].set_visible(False)
            axes.set_xlim(0, top)
            beyond = [y for y, n in enumerate(nodes) if n in one.index and one.loc[n, "bound_high"] > top]
            edge = axes.get_yaxis_transform()
            if beyond:
                axes.plot([1] * len(beyond), beyond, ">", ms=3.5, color=MID, clip_on=False, transform=edge)
            rate_axis(axes, step.scale, bins=3)
        figure.legend(handles=_key(), loc="outside lower center", ncols=2, handlelength=1.8)
        svg = svg_of(figure, ID, title, alt)
    return Figure(
        ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, _caption(len(every) - len(nodes))
    )


def _row(axes: Axes, y: int, top: float, row: dict[str, Any], finite: dict[str, Any] | None) -> None:
    if pd.notna(row["bound_low"]) and pd.notna(row["bound_high"]):
        high = min(row["bound_high"], top)
        axes.barh(y, max(high - row["bound_low"], 0), left=row["bound_low"], height=0.62, color=PALE)
    if withheld(row):
        axes.text(0, y, " not published", va="center", ha="left", color=MID, style="italic", fontsize=7.5)
        return
    color = ACCENT if row["label"] in ("data-driven", "model-assisted") else MID
    axes.plot([row["q05"], row["q95"]], [y, y], color=color, lw=1, solid_capstyle="butt")
    axes.plot([row["q25"], row["q75"]], [y, y], color=color, lw=3.4, solid_capstyle="butt")
    face = color if row["label"] == "data-driven" else "white"
    axes.plot(row["median"], y, "o", ms=5, mfc=face, mec=color, mew=1.2)
    if finite is not None and not withheld(finite):
        axes.plot(finite["median"], y + 0.3, "D", ms=2.6, mfc="white", mec=INK, mew=0.7)


def _top(rows: pd.DataFrame) -> float:
    """The end of the scale: by the intervals, so that wide bounds do not squeeze them."""
    shown = rows["q95"].dropna()
    if len(shown):
        return float(1.35 * shown.max())
    return float(max([1.0, *rows["bound_high"][np.isfinite(rows["bound_high"])]]))


def _key() -> list[Any]:
    return [
        Line2D([], [], color=ACCENT, lw=3.4, marker="o", ms=5, mec=ACCENT, label="median, 50 %"),
        Line2D([], [], color=ACCENT, lw=1, label="90 %"),
        Line2D([], [], ls="", marker="D", ms=3, mfc="white", mec=INK, label="counted cases"),
        Patch(facecolor=PALE, edgecolor=LIGHT, label="data alone"),
    ]


def _caption(left: int) -> str:
    words = say(
        "Dot: median (filled where data-driven). Thick and thin lines: 50 % and 90 % interval. Diamond: "
        "the cases recorded here. Pale bar: what the data alone allow; an arrowhead where it goes on "
        "beyond the panel."
    )
    if left:
        words += " " + say(
            "Not drawn: {left} offenses of which no rate is published; the table holds their bounds."
        ).format(left=left)
    return words


def _alt(view: View, rows: pd.DataFrame) -> str:
    shown = int(rows["median"].notna().sum())
    steps = ", ".join(step.title for step in view.steps)
    return say(
        "Interval plot, one panel for each of: {steps}. {shown} of {rows} rates are shown with their 50 "
        "and 90 percent intervals over the range the data alone allow; the others are marked not "
        "published. The table holds every value."
    ).format(steps=steps, shown=shown, rows=len(rows))
