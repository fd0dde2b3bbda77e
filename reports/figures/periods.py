"""Rates over time: the whole, a panel a step; and the whole way by offense."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..canvas import ACCENT, DPI, MID, PX, SECOND, WIDTH, canvas, rate_axis, shorten, svg_of
from ..document import Figure, Table
from ..steps import StepView
from ..view import View
from ..wording import say

ID: Final = "figure-periods"
ID_OFFENSES: Final = "figure-periods-offenses"
MOST: Final = 12
COLUMNS: Final = 3


def draw(view: View, rows: pd.DataFrame, table: Table) -> Figure | None:
    """A panel a step that has a number, at the answer's other nodes; None where no step has one.

    ``rows`` has one row a (step, leaf period), with ``raw`` beside the columns of the estimates.
    """
    rows = rows[rows.groupby("step")["median"].transform("count") > 0]
    steps = [step for step in view.steps if (rows["step"] == step.name).any()]
    if not steps:
        return None
    leaves = view.axes["period"].leaves
    title = say("Over time: {label}").format(label=view.label("jurisdiction", view.answer["jurisdiction"]))
    with canvas(ID, WIDTH, 30 + 112 * len(steps)) as figure:
        grid = figure.subplots(len(steps), 1, sharex=True, squeeze=False)
        for axes, step in zip(grid[:, 0], steps, strict=True):
            one = rows[rows["step"] == step.name]
            _panel(axes, view, step, one, leaves, _top(one))
            axes.set_title(step.title)
        hidden = int(rows["median"].isna().sum())
        alt = say(
            "Rates over {leaves} periods, one panel a step: median line with bands for the 50 and 90 "
            "percent intervals, and squares for raw rates. {hidden} points are not published and leave a "
            "gap."
        ).format(leaves=len(leaves), hidden=hidden)
        svg = svg_of(figure, ID, title, alt)
    caption = (
        "Line: median. Bands: 50 % and 90 % interval. Open squares: raw rates where both stages were counted "
        "exactly, whatever the origin of the outcomes. A gap is a period whose rate is not published."
    )
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def draw_offenses(view: View, step: StepView, rows: pd.DataFrame, table: Table) -> Figure:
    """Small multiples by offense of one step; ``rows`` has one row a (offense, leaf period)."""
    offenses = list(dict.fromkeys(rows["offense"]))[:MOST]
    leaves = view.axes["period"].leaves
    columns = min(COLUMNS, len(offenses))
    lines = -(-len(offenses) // columns)
    title = say("{title} over time, by offense").format(title=step.title)
    with canvas(ID_OFFENSES, WIDTH, 20 + 92 * lines) as figure:
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(offenses) :]:
            axes.set_visible(False)
        for axes, offense in zip(grid.flat, offenses, strict=False):
            _panel(axes, view, step, rows[rows["offense"] == offense], leaves, _top(rows))
            axes.set_title(shorten(view.label("offense", offense), 24))
        alt = say(
            "Small multiples of {title} over {leaves} periods, a panel for each of {offenses} offenses on "
            "one scale, with median and 50 and 90 percent bands."
        ).format(title=step.title, leaves=len(leaves), offenses=len(offenses))
        svg = svg_of(figure, ID_OFFENSES, title, alt)
    caption = "One scale for all panels. Line: median. Bands: 50 % and 90 % interval. Gaps: not published."
    return Figure(ID_OFFENSES, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def _top(rows: pd.DataFrame) -> float:
    """The end of the scale: above every interval and raw rate."""
    columns = [c for c in ("q95", "raw") if c in rows]
    return 1.06 * max([1e-6, *rows[columns].max().dropna()])


def _panel(
    axes: Axes, view: View, step: StepView, rows: pd.DataFrame, leaves: tuple[str, ...], top: float
) -> None:
    rows = rows.set_index("period").reindex(list(leaves))
    x = np.arange(len(leaves))
    axes.fill_between(x, rows["q05"], rows["q95"], color=ACCENT, alpha=0.16, lw=0)
    axes.fill_between(x, rows["q25"], rows["q75"], color=ACCENT, alpha=0.3, lw=0)
    axes.plot(x, rows["median"], color=ACCENT, lw=1.4, marker="o", ms=3 if len(x) <= 20 else 0)
    if "raw" in rows:
        axes.plot(x, rows["raw"], "s", ms=3.4, mfc="none", mec=SECOND, mew=0.9)
    for at in x[rows["median"].isna().to_numpy()]:
        axes.axvline(at, color=MID, lw=0.6, ls=":")
    axes.set_ylim(0, top)
    axes.set_xlim(-0.5, len(x) - 0.5)
    every = max(1, -(-len(x) // 6))
    axes.set_xticks(x[::every], [view.label("period", leaves[i]) for i in x[::every]])
    for label in axes.get_xticklabels():
        label.set(rotation=50, ha="right", va="top", rotation_mode="anchor")
    rate_axis(axes, step.scale, "y")
