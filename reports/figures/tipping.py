"""The tipping curve: the probability of each claim against how far silent places differ from the others."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from ..canvas import ACCENT, DPI, INK, MID, PALE, PX, SECOND, WIDTH, canvas, shorten, svg_of
from ..document import Figure, Table
from ..numbers import MINUS

ID: Final = "figure-tipping"
MOST: Final = 8
COLUMNS: Final = 2
TYPICAL: Final = 1.0


def draw(curve: pd.DataFrame, claims: pd.DataFrame, table: Table) -> Figure:
    """A panel a claim, those that tip first in front.

    Parameters
    ----------
    curve : DataFrame
        ``key``, ``shift`` in sd between places, ``probability``.
    claims : DataFrame
        ``key``, ``subject``, ``said``, ``threshold``, ``withdrawn`` (in sd); in the order of the panels.
    table : Table
    """
    drawn = claims.head(MOST)
    columns = min(COLUMNS, len(drawn))
    lines = -(-len(drawn) // columns)
    title = "Where claims tip"
    with canvas(ID, WIDTH, 40 + 92 * lines) as figure:
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(drawn) :]:
            axes.set_visible(False)
        for axes, claim in zip(grid.flat, drawn.to_dict("records"), strict=False):
            _panel(axes, curve[curve["key"] == claim["key"]].sort_values("shift"), claim)
        figure.supxlabel("silent places against the others, in sd between places", fontsize=8)
        figure.supylabel("probability", fontsize=8)
        svg = svg_of(figure, ID, title, alt := _alt(claims))
    caption = (
        "Each line: the probability of a claim if the places that did not report differ so much from what the model "
        "says of the others. Pale band: within one sd between places, an ordinary difference. Dashed: from here on "
        "it is said. Diamond: where it no longer is."
    )
    if len(drawn) < len(claims):
        caption += f" The {len(drawn)} of {len(claims)} claims that tip first."
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def _panel(axes: Axes, line: pd.DataFrame, claim: dict[str, Any]) -> None:
    axes.axvspan(-TYPICAL, TYPICAL, color=PALE, lw=0)
    axes.axvline(0, color=INK, lw=0.6)
    axes.axhline(claim["threshold"], color=MID, lw=0.8, ls="--")
    axes.plot(line["shift"], line["probability"], color=ACCENT, lw=1.4)
    if pd.notna(claim["withdrawn"]):
        axes.plot(claim["withdrawn"], claim["threshold"], "D", ms=4, color=SECOND)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(line["shift"].min(), line["shift"].max())
    axes.set_title(f"{shorten(str(claim['subject']), 30)}\n{shorten(str(claim['said']), 34)}", fontsize=7)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", MINUS))


def _alt(claims: pd.DataFrame) -> str:
    tipped = claims[claims["withdrawn"].notna()]
    if not len(tipped):
        return f"Probability of {len(claims)} claims against the shift of silent places; none tips. The table has all."
    first = tipped.iloc[0]
    return (
        f"Probability of {len(claims)} claims against the shift of silent places, in sd between places. The first to "
        f"tip, at {first['withdrawn']:.1f}: {first['subject']}: {first['said']}. The table holds all."
    )
