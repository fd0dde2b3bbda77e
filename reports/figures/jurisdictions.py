"""Raw against pooled rates by jurisdiction, in tiers rather than ranks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..canvas import ACCENT, DPI, LIGHT, MID, PX, SECOND, WIDTH, canvas, rate_axis, shorten, svg_of
from ..companions import withheld
from ..document import Figure, Table
from ..steps import StepView
from ..view import View
from ..wording import say

MOST: Final = 60
NAMED: Final = 8
CAPTION: Final = (
    "Filled dot and line: pooled median and 90 % interval. Open square or triangle: raw count divided by raw "
    "count, where both are known; a triangle where the outcomes also hold cases that began otherwise. Dashed: the "
    "whole. A tier holds the jurisdictions whose 90 % interval lies wholly above, across or wholly below the "
    "whole; within a tier the order is alphabetical and says nothing."
)
TIERS: Final = ("above the whole", "not distinguishable from the whole", "below the whole", "not published")


def tiers(rows: pd.DataFrame, whole: float) -> pd.Series:
    """The tier of each row: its 90 % interval above, across or below the median of the whole."""
    shown = np.array([not withheld(row) for row in rows.to_dict("records")], dtype=bool)
    code = np.select([~shown, rows["q05"] > whole, rows["q95"] < whole], [3, 0, 2], default=1)
    return pd.Series([TIERS[i] for i in code], index=rows.index)


def draw(view: View, step: StepView, rows: pd.DataFrame, whole: dict[str, Any], table: Table) -> Figure:
    """Dumbbells of one step.

    Parameters
    ----------
    view : View
    step : StepView
    rows : DataFrame
        One row a jurisdiction: the columns of the estimates, ``tier``, ``place`` and ``raw``.
    whole : dict
        The row of the answer's own jurisdiction.
    table : Table
    """
    id = f"figure-jurisdictions-{step.name}"
    if len(rows) > MOST:
        evidence = rows[["contraction", "contraction_own"]].min(axis=1).fillna(0.0)
        rows = (
            rows.assign(evidence=evidence).sort_values("evidence", ascending=False, kind="stable").head(MOST)
        )
    title = say("{title} by jurisdiction").format(title=step.title)
    shown = rows[rows["tier"] != TIERS[3]]
    blocks = [(tier, shown[shown["tier"] == tier].sort_values("place")) for tier in TIERS[:3]]
    blocks = [(tier, block) for tier, block in blocks if len(block)]
    height = 76 + 12.5 * len(shown) + 22 * len(blocks)
    with canvas(id, WIDTH, height) as figure:
        axes = figure.subplots()
        ticks, labels, y = [], [], 0.0
        for tier, block in blocks:
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            axes.text(
                0.01,
                y,
                tier,
                transform=axes.get_yaxis_transform(),
                va="center",
                color=MID,
                style="italic",
                bbox=ground,
            )
            y += 1.2
            for row in block.to_dict("records"):
                _dumbbell(axes, y, row)
                ticks.append(y)
                labels.append(shorten(row["place"], 34))
                y += 1
            y += 0.6
        axes.axvline(whole["median"], color=MID, lw=0.8, ls=(0, (4, 3)))
        axes.set_yticks(ticks, labels)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(y, -1)
        low, high = shown[["q05", "raw"]].min(axis=None), shown[["q95", "raw"]].max(axis=None)
        edge = 0.06 * (high - low)
        axes.set_xlim(0 if low < 0.25 * high else max(0, low - edge), high + edge)
        rate_axis(axes, step.scale)
        figure.legend(handles=_key(), loc="outside lower center", ncols=2, handlelength=1.6)
        counts = ", ".join(f"{len(block)} {tier}" for tier, block in blocks)
        alt = say(
            "Raw and pooled rates of {shown} jurisdictions for {title}, in tiers: {counts}. Each has its "
            "pooled median and 90 percent interval, and its raw rate where both stages were counted exactly."
        ).format(shown=len(shown), title=step.title, counts=counts)
        svg = svg_of(figure, id, title, alt)
    caption = CAPTION
    hidden = list(rows.loc[rows["tier"] == TIERS[3], "place"])
    if hidden:
        more = say(" and {hidden} more").format(hidden=len(hidden) - NAMED) if len(hidden) > NAMED else ""
        caption += say(" Not published and not drawn: {list}{more}.").format(
            list=", ".join(hidden[:NAMED]), more=more
        )
    return Figure(id, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def _dumbbell(axes: Axes, y: float, row: dict[str, Any]) -> None:
    color = ACCENT if row["label"] in ("data-driven", "model-assisted", "counted") else MID
    axes.plot([row["q05"], row["q95"]], [y, y], color=color, lw=1.1, solid_capstyle="butt")
    if pd.notna(row["raw"]):
        axes.plot([row["raw"], row["median"]], [y, y], color=LIGHT, lw=3, zorder=0, solid_capstyle="butt")
        marker = "s" if row["origin"] in ("", "referred_only") else "^"
        axes.plot(row["raw"], y, marker, ms=4, mfc="white", mec=SECOND, mew=1.1)
    axes.plot(
        row["median"], y, "o", ms=4, mfc=color if row["label"] != "prior-driven" else "white", mec=color
    )


def _key() -> list[Any]:
    return [
        Line2D([], [], color=ACCENT, lw=1.1, marker="o", ms=4, label="pooled, 90 %"),
        Line2D([], [], ls="", marker="o", ms=4, mfc="white", mec=MID, label="prior-driven"),
        Line2D([], [], ls="", marker="s", ms=4, mfc="white", mec=SECOND, label="raw, of referrals alone"),
        Line2D([], [], ls="", marker="^", ms=4, mfc="white", mec=SECOND, label="raw, other origins too"),
        Line2D([], [], color=MID, lw=0.8, ls=(0, (4, 3)), label="the whole"),
    ]
