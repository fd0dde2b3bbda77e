"""Predictive checks: where each statement falls in its own predictive distribution, and totals by group."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from ..canvas import ACCENT, DPI, INK, LIGHT, PX, SECOND, WIDTH, canvas, shorten, svg_of
from ..document import Figure, Table
from ..view import View
from ..wording import say

ID_PIT: Final = "figure-pit"
ID_TOTALS: Final = "figure-totals"
STYLES: Final = ((ACCENT, "-"), (SECOND, "--"), (INK, ":"), (ACCENT, "-."))


def draw_pit(curves: pd.DataFrame, band: pd.DataFrame, table: Table) -> Figure:
    """How the shares below each predictive probability differ from it.

    ``curves``: stage, u, difference; ``band``: stage, u, low, high (90 % pointwise, for as many statements).
    """
    title = "Calibration of the predictions"
    stages = list(dict.fromkeys(curves["stage"]))
    with canvas(ID_PIT, WIDTH, 210.0) as figure:
        axes = figure.subplots()
        widest = band.groupby("u", as_index=False).agg(low=("low", "min"), high=("high", "max"))
        axes.fill_between(widest["u"], widest["low"], widest["high"], color=LIGHT, alpha=0.5, lw=0)
        axes.axhline(0, color=INK, lw=0.6)
        for i, stage in enumerate(stages):
            color, style = STYLES[i % len(STYLES)]
            one = curves[curves["stage"] == stage]
            axes.plot(one["u"], one["difference"], color=color, ls=style, lw=1.4, label=stage)
        axes.set_xlim(0, 1)
        axes.set_xlabel("predictive probability")
        axes.set_ylabel("observed share − expected")
        figure.legend(loc="outside lower center", ncols=3)
        worst = curves.loc[curves["difference"].abs().idxmax()]
        alt = say(
            "Difference between observed and expected shares for {stages} stages; the largest is "
            "{difference:.3f} at {u:.2f} for {stage}. The band holds 90 percent of what chance would give."
        ).format(stages=len(stages), difference=worst["difference"], u=worst["u"], stage=worst["stage"])
        svg = svg_of(figure, ID_PIT, title, alt)
    caption = (
        "For each statement, the probability the fitted model gave to a smaller value. A line inside the "
        "band: intervals hold as often as they should. A trough then an arch: intervals too wide; an arch "
        "then a trough: too narrow; one arch or one trough alone: predictions too high or too low. The "
        "counts were fitted as well as predicted, so a mild trough and arch is to be expected."
    )
    return Figure(ID_PIT, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def draw_totals(view: View, rows: pd.DataFrame, table: Table) -> Figure:
    """Observed total over predicted, by jurisdiction.

    ``rows``: stage, jurisdiction, and observed / replicated ratios q05, q50, q95 (1 is a perfect prediction).
    """
    stages = list(dict.fromkeys(rows["stage"]))
    places = list(dict.fromkeys(rows["jurisdiction"]))
    title = "Totals by jurisdiction: predicted against observed"
    with canvas(ID_TOTALS, WIDTH, 62 + 12.5 * len(places)) as figure:
        grid = figure.subplots(1, len(stages), sharey=True, squeeze=False)
        for axes, stage in zip(grid[0], stages, strict=True):
            one = rows[rows["stage"] == stage].set_index("jurisdiction").reindex(places)
            y = np.arange(len(places))
            axes.axvline(1, color=INK, lw=0.7)
            axes.hlines(y, one["q05"], one["q95"], color=ACCENT, lw=1.2)
            outside = ((one["q05"] > 1) | (one["q95"] < 1)).to_numpy()
            axes.plot(one["q50"][~outside], y[~outside], "o", ms=3.4, color=ACCENT)
            axes.plot(one["q50"][outside], y[outside], "D", ms=4, mfc="white", mec=SECOND)
            axes.set_title(stage.replace("_", " "))
            axes.set_yticks(y, [shorten(view.label("jurisdiction", p), 24) for p in places])
            axes.tick_params(axis="y", length=0)
            axes.set_ylim(len(places) - 0.4, -0.6)
            axes.grid(axis="x")
        keys = [
            Line2D([], [], color=ACCENT, lw=1.2, marker="o", ms=3.4, label="90 % holds the observed total"),
            Line2D([], [], ls="", marker="D", ms=4, mfc="white", mec=SECOND, label="it does not"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
        outside = int(((rows["q05"] > 1) | (rows["q95"] < 1)).sum())
        alt = say(
            "Predicted totals divided by observed ones for {rows} jurisdiction and stage pairs, with 90 "
            "percent intervals; {outside} intervals do not hold 1."
        ).format(rows=len(rows), outside=outside)
        svg = svg_of(figure, ID_TOTALS, title, alt)
    caption = (
        "Predicted divided by observed total of the exactly counted statements, median and 90 % interval."
    )
    return Figure(ID_TOTALS, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)
