"""How the counts of the first stage grew, read off the statements of places that publish period after period."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

import pandas as pd

from ..data.axes import Axis
from .nodes import made
from .view import View

COLUMNS: Final = ["before", "after", "places", "count_before", "count_after", "growth", "ratio"]
NUMBERS: Final = ("exact", "approx", "rounded")


def growth(view: View) -> pd.DataFrame:
    """First-stage counts of the same places in consecutive periods.

    Returns
    -------
    DataFrame
        before, after (periods), places, count_before, count_after, growth (after over before), and ratio: the
        same-period ratio over the cohort rate if every outcome came one period late, 1 / growth.

    Notes
    -----
    With n(t) referrals, cohort rate p and a lag of one period, the outcomes dated in t number p n(t - 1), so the
    same-period ratio is p n(t - 1) / n(t).
    """
    counts = _counts(view)
    periods = [p for p in view.axes["period"].leaves if p in counts.columns]
    leaves = list(view.axes["period"].leaves)
    out = []
    for before, after in pairwise(periods):
        if leaves.index(after) != leaves.index(before) + 1:
            continue
        both = counts[[before, after]].dropna()
        both = both.loc[_apart(list(both.index), view.axes["jurisdiction"])]
        sums = both.sum()
        if sums[before] > 0 and sums[after] > 0:
            factor = sums[after] / sums[before]
            out.append((before, after, len(both), sums[before], sums[after], factor, 1 / factor))
    return pd.DataFrame(out, columns=COLUMNS)


def grain(view: View) -> str:
    """What a period is: a year, a quarter, or a period where they are mixed."""
    leaves = view.axes["period"].leaves
    if all(re.fullmatch(r"\d{4}", leaf) for leaf in leaves):
        return "year"
    return "quarter" if all(re.fullmatch(r"\d{4}Q[1-4]", leaf) for leaf in leaves) else "period"


def _counts(view: View) -> pd.DataFrame:
    """(places, periods) of counts over all offenses: stated, else the sum over offenses where all are stated."""
    rows = view.used
    rows = rows[(rows["stage"] == view.stages[0]) & rows["relation"].isin(NUMBERS)]
    rows = rows.assign(count=pd.to_numeric(rows["count"], errors="coerce")).dropna(subset="count")
    root = view.axes["offense"].nodes[0].name
    whole = rows[rows["offense"] == root].groupby(["jurisdiction", "period"])["count"].first()
    parts = rows[rows["offense"].isin(view.shown("offense", leaves=True)) & (rows["offense"] != root)]
    parts = parts.drop_duplicates(["jurisdiction", "period", "offense"])
    sums = parts.groupby(["jurisdiction", "period"])["count"].agg(["sum", "size"])
    full = sums.loc[sums["size"] == len(view.shown("offense", leaves=True)), "sum"]
    both = whole.combine_first(full).rename("n").reset_index()
    return both.pivot_table(index="jurisdiction", columns="period", values="n")


def _apart(places: list[str], axis: Axis) -> list[str]:
    """The places that lie in no other of them."""
    here = set(places)
    return [
        p for p in places if not made(p) and p in axis.by_name and not here.intersection(axis.ancestors(p))
    ]
