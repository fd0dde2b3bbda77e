"""Raw ratios: a count divided by a count of the same place, offense and period, and of what kind the two are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from ..data.axes import Axis
from ..data.names import CLOSED
from .steps import StepView

if TYPE_CHECKING:
    from .view import View

NUMBERS: Final = ("exact", "approx", "rounded")
ORIGINS: Final = {
    "referred_only": "referrals only",
    "all_sources": "all sources",
    "unknown": "unknown",
}
CLOCKS: Final = {"cohort": "cohort", "period": "same period", "unknown": "unknown, read as period"}


def raw_pairs(view: View) -> pd.DataFrame:
    """Pairs of used counts over all offenses, stated or the sum of every single one, summed over periods.

    Returns
    -------
    DataFrame
        step, jurisdiction, origin and clock (of the outcome), numerator, denominator, raw, periods, sources (names,
        joined); one row a place, step, origin and clock, inside the answer's period. None for a place where a period
        has limits in place of a count: the sum over the others is that of the larger counts.
    """
    rows = view.used
    root = view.axes["offense"].nodes[0].name
    periods, answer = view.axes["period"], view.answer["period"]
    inside = [p for p in periods.by_name if p == answer or answer in periods.ancestors(p)]
    rows = rows[(rows["relation"] != CLOSED) & rows["period"].isin(inside)]
    limits = rows[~rows["relation"].isin(NUMBERS) & rows["period"].isin(periods.leaves)]
    rows = rows[rows["relation"].isin(NUMBERS)]
    rows = rows.assign(value=pd.to_numeric(rows["count"], errors="coerce")).dropna(subset="value")
    key = ["jurisdiction", "period"]
    stated = rows[rows["offense"] == root]
    rows = pd.concat([stated, added_up(rows, view.axes["offense"], key)], ignore_index=True)
    rows = rows.drop_duplicates([*key, "stage", "origin", "clock"])
    cell = ["stage", *key]
    limits = limits[~pd.MultiIndex.from_frame(limits[cell]).isin(pd.MultiIndex.from_frame(rows[cell]))]
    frames = []
    for step in view.steps:
        ends = [view.stages[step.source], view.stages[step.target]]
        partly = limits.loc[limits["stage"].isin(ends), "jurisdiction"]
        frames.append(_of_step(view, rows[~rows["jurisdiction"].isin(partly)], step, key))
    return pd.concat(frames, ignore_index=True)


def added_up(rows: pd.DataFrame, offense: Axis, key: list[str]) -> pd.DataFrame:
    """Sums over the offenses where each of them is counted: a sum of some would be no count of the place."""
    alone = rows[rows["offense"].isin(offense.leaves)].drop_duplicates(
        ["offense", *key, "stage", "origin", "clock"]
    )
    groups = alone.groupby([*key, "stage", "origin", "clock"], sort=False)
    found = groups.agg(
        value=("value", "sum"),
        parts=("offense", "nunique"),
        source_id=("source_id", lambda s: "; ".join(dict.fromkeys(s))),
    ).reset_index()
    return found[found["parts"] == len(offense.leaves)].drop(columns="parts")


def _of_step(view: View, rows: pd.DataFrame, step: StepView, key: list[str]) -> pd.DataFrame:
    below = rows[rows["stage"] == view.stages[step.source]]
    above = rows[rows["stage"] == view.stages[step.target]]
    # Where a denominator is stated in several ways, the one of the outcome's own origin comes first.
    both = above.merge(
        below[[*key, "origin", "clock", "value", "source_id"]], on=key, suffixes=("", "_below")
    )
    both["same"] = (both["origin"] != both["origin_below"]).astype(int)
    both = both.sort_values("same", kind="stable").drop_duplicates([*key, "origin", "clock"])
    both = both[both["value_below"] > 0]
    both["named"] = [sorted({a, b}) for a, b in zip(both["source_id"], both["source_id_below"], strict=True)]
    out = []
    for (place, origin, clock), block in both.groupby(["jurisdiction", "origin", "clock"], sort=False):
        numerator, denominator = float(block["value"].sum()), float(block["value_below"].sum())
        names = sorted({name for names in block["named"] for name in names})
        out.append((step.name, place, origin, clock, numerator, denominator, numerator / denominator,
                    block["period"].nunique(), "; ".join(names)))  # fmt: skip
    return pd.DataFrame(
        out,
        columns=[
            "step", "jurisdiction", "origin", "clock", "numerator", "denominator", "raw", "periods", "sources",
        ],
    )  # fmt: skip
