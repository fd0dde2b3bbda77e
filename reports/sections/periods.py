"""Over time."""

from __future__ import annotations

import pandas as pd

from ..companions import companions
from ..document import Block, Section, attempt
from ..figures.periods import draw, draw_offenses
from ..numbers import share
from ..printed import left, printed, right, text
from ..view import View
from ..wording import say

order = 50
title = "Over time"
short = True
TABLE = "periods"


def build(view: View) -> Section | None:
    """The whole over time, a panel a step; the whole way by offense; every period with its companions."""
    leaves = view.axes["period"].leaves
    if len(leaves) < 2:
        return None
    rows = view.rates("period")
    rows = rows[rows["period"].isin(leaves)]
    table = companions(
        view,
        TABLE,
        say("By period: {label}").format(label=view.label("jurisdiction", view.answer["jurisdiction"])),
        "period",
    )
    raw = [
        view.observed.raw(step.source, step.target, "period").assign(step=step.name) for step in view.steps
    ]
    known = pd.concat(raw).rename(columns={"node": "period"})[
        ["step", "period", "numerator", "denominator", "raw"]
    ]
    joined = rows.merge(known, how="left", on=["step", "period"])
    blocks: list[Block] = [*attempt("the figure over time", lambda: draw(view, joined, table))]
    blocks += attempt("the figure over time by offense", lambda: _offenses(view))
    return Section("section-periods", title, (*blocks, table))


def _offenses(view: View) -> Block | None:
    step = view.steps[-1]
    rows = view.crossed("offense", "period")
    rows = rows[rows["step"] == step.name]
    rows = rows[rows["offense"].isin(view.axes["offense"].leaves)]
    rows = rows[rows["period"].isin(view.axes["period"].leaves)]
    if rows["offense"].nunique() < 2 or rows["median"].isna().all():
        return None
    data = view.with_sources(rows)[
        ["offense", "period", "median", "q05", "q25", "q75", "q95", "bound_low", "bound_high", "contraction",
         "contraction_own", "label", "statements", "sources", "top_source", "top_share"]
    ]  # fmt: skip
    data = data.assign(name=[view.label("offense", o) for o in data["offense"]])

    def number(value: float) -> str:
        return f"{value:.3g}" if value == value else "–"

    show = {
        "name": left("Offense", text),
        "period": left("Period", lambda p: view.label("period", p)),
        "median": right("Median", number),
        "q05": right("5 %", number),
        "q95": right("95 %", number),
        "bound_low": right("Lower bound", number),
        "bound_high": right("Upper bound", number),
        "contraction": right("Contraction", share),
        "contraction_own": right("Own", share),
        "label": left("Basis", text),
    }
    table = printed(
        "periods-offenses", say("{title} by offense and period").format(title=step.title), data, show, most=60
    )
    return draw_offenses(view, step, rows, table)
