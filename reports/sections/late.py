"""Outcomes that are still arriving: as assigned so far beside what is expected when mature."""

from __future__ import annotations

import pandas as pd

from ...data.names import AXES
from ..document import Paragraph, Section
from ..numbers import count, share
from ..printed import left, printed, right, text
from ..view import View
from ..wording import say

order = 52
title = "Still arriving"
KIND = "immature"


def build(view: View) -> Section | None:
    """Each period at the answer's other nodes; None where every cohort is as old as the horizon."""
    told = [kind for kind in view.run.blueprint["kinds"] if kind["kind"] == KIND]
    rows = side_by_side(view)
    if not told or not len(rows):
        return None
    horizon = int(told[0]["settings"]["horizon"])
    words = say(
        "Outcomes are waited for during {horizon} periods after a cohort's own, at each step. The rates "
        "of this report are those within that time. What was assigned so far is counted, not estimated: "
        "cases that are still pending are not missing at random, so that it says little of what they "
        "will come to."
    ).format(horizon=horizon)
    ever = bool(rows["ever"].notna().any())
    if ever:
        low, high = told[0]["settings"]["tail"]
        words += " " + say(
            "What comes later no count speaks of. “Ever” is an extrapolation: it goes on from the last period waited "
            "for, each period holding {low} to {high} (90 %) of the one before, as the plan assumes."
        ).format(low=f"{low:g}", high=f"{high:g}")
    data = rows.assign(name=[view.label("period", p) for p in rows["period"]])
    show = {
        "title": left("Step", text),
        "name": left("Period", text),
        "as_of": left("Known on", text),
        "denominator": right("Units", count),
        "so_far": right("So far", share),
        "median": right("When mature", share),
        "q05": right("5 %", share),
        "q95": right("95 %", share),
        "label": left("Basis", text),
    }
    if ever:
        show |= {
            "ever": right("Ever, extrapolated", share),
            "ever_q05": right("Ever, 5 %", share),
            "ever_q95": right("Ever, 95 %", share),
        }
    table = printed("late", "As assigned so far, and as expected when mature", data, show, most=80)
    return Section("section-late", title, (Paragraph(words), table))


def side_by_side(view: View) -> pd.DataFrame:
    """One row a step and period: the share so far, and the finite rate expected at the horizon."""
    rows = view.quantities("so_far", "finite")
    for axis in AXES[:2]:
        rows = rows[rows[axis] == view.answer[axis]]
    rows = rows[["step", "period", "as_of", "median", "denominator_median"]]
    rows = rows.rename(columns={"median": "so_far", "denominator_median": "denominator"})
    mature = view.rates("period", "finite")[["step", "period", "median", "q05", "q95", "label"]]
    joined = rows.merge(mature, how="left", on=["step", "period"])
    after = view.quantities("ever")
    for axis in AXES[:2]:
        after = after[after[axis] == view.answer[axis]]
    after = after[["step", "period", "median", "q05", "q95"]]
    after = after.rename(columns={"median": "ever", "q05": "ever_q05", "q95": "ever_q95"})
    joined = joined.merge(after, how="left", on=["step", "period"])
    steps = {name: step.title for name, step in view.step.items()}
    return joined.assign(title=joined["step"].map(steps)).reset_index(drop=True)
