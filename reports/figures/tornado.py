"""The tornado: how far each scenario moves each number of the front table, in its own posterior sd."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..canvas import ACCENT, DPI, INK, MID, PALE, PX, SECOND, WIDTH, canvas, shorten, svg_of
from ..document import Figure, Table
from ..front import name_of
from ..numbers import MINUS
from ..view import View
from ..wording import say

ID: Final = "figure-tornado"
MOST: Final = 12
COLUMNS: Final = 2


def draw(view: View, shifts: pd.DataFrame, table: Table) -> Figure:
    """A panel a front row, a bar a scenario.

    Parameters
    ----------
    view : View
    shifts : DataFrame
        (rows, scenarios), indexed by step and offense; NaN where the scenario has no number.
    table : Table
    """
    drawn = chosen(view, shifts)
    scenarios = list(shifts.abs().max().sort_values(ascending=False, kind="stable").index)
    columns = min(COLUMNS, len(drawn))
    lines = -(-len(drawn) // columns)
    top = float(np.nanmax(shifts.loc[drawn.index].abs().to_numpy(), initial=0.5)) * 1.15
    title = "What each scenario moves"
    height = 46 + lines * (34 + 11.5 * len(scenarios))
    with canvas(ID, WIDTH, height) as figure:
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axes in grid.flat[len(drawn) :]:
            axes.set_visible(False)
        for axes, ((step, offense), row) in zip(grid.flat, drawn.iterrows(), strict=False):
            _panel(axes, row.reindex(scenarios), top)
            name = shorten(name_of(view, str(offense)), 26)
            axes.set_title(f"{name}\n{view.step[str(step)].title}", fontsize=7.5)
            axes.set_yticks(range(len(scenarios)), [shorten(s, 24) for s in scenarios])
        figure.supxlabel("shift of the median, in posterior sd", fontsize=8)
        svg = svg_of(figure, ID, title, alt := _alt(view, shifts, len(drawn)))
    caption = (
        "A panel a number of the first table, a bar a scenario: how far it moves the median, in posterior standard "
        "deviations of the number as published. Pale band: one sd either way. Cross: no number in the scenario. "
        "Scenarios in the order of their largest shift."
    )
    if len(drawn) < len(shifts):
        caption += say(" The {drawn} of {shifts} numbers that are of the whole or move furthest.").format(
            drawn=len(drawn), shifts=len(shifts)
        )
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def chosen(view: View, shifts: pd.DataFrame) -> pd.DataFrame:
    """Rows of the whole, then those that move furthest, in the order of the table."""
    whole = shifts.index.get_level_values("offense") == view.answer["offense"]
    far = shifts.abs().max(axis=1).where(~whole, np.inf)
    kept = far.sort_values(ascending=False, kind="stable").index[:MOST]
    return shifts[shifts.index.isin(kept)]


def _panel(axes: Axes, row: pd.Series, top: float) -> None:
    axes.axvspan(-1, 1, color=PALE, lw=0)
    axes.axvline(0, color=INK, lw=0.6)
    values = row.to_numpy(float)
    y = np.arange(len(values))
    up = np.nan_to_num(values) >= 0
    axes.barh(y[up], values[up], height=0.66, color=ACCENT)
    axes.barh(y[~up], values[~up], height=0.66, facecolor="white", edgecolor=SECOND, hatch="//////", lw=0.8)
    absent = np.isnan(values)
    axes.plot(np.zeros(absent.sum()), y[absent], "x", ms=4, color=MID)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_xlim(-top, top)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", MINUS))


def _alt(view: View, shifts: pd.DataFrame, drawn: int) -> str:
    far = shifts.abs()
    step, offense = far.max(axis=1).idxmax()
    scenario, value = far.loc[(step, offense)].idxmax(), far.loc[(step, offense)].max()
    return say(
        "Tornado of {drawn} numbers of the first table under {scenarios} scenarios. The largest shift is "
        "{value:.2f} posterior sd, by {scenario}, of {title} for {offense}. The table holds every shift."
    ).format(
        drawn=drawn,
        scenarios=shifts.shape[1],
        value=value,
        scenario=scenario,
        title=view.step[str(step)].title,
        offense=name_of(view, str(offense)),
    )
