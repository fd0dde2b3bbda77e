"""How well the draws know the order of places: ranks with intervals, printed only where these are short."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .companions import withheld
from .document import Table
from .numbers import count, number, probability
from .printed import left, printed, right, text
from .steps import StepView
from .view import View
from .wording import say

FEWEST: Final = 5
FIRST: Final = 5
SHARE: Final = 1 / 3


def ranks_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank of each column in each draw, (draws, places); 1 is the highest."""
    return (-values).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1


def ranking(view: View, step: StepView) -> pd.DataFrame:
    """Ranks of the places that do not hold one another, of a published rate and the clock of the whole.

    Returns
    -------
    DataFrame
        jurisdiction, place, expected, low, high (90 % interval of the rank), first (probability of being among the
        first five); by expected rank. Empty where fewer than five places can be compared.
    """
    rows = view.rates("jurisdiction")
    rows = rows[rows["step"] == step.name]
    whole = rows[rows["jurisdiction"] == view.answer["jurisdiction"]]
    clock = whole["clock"].iloc[0] if len(whole) else ""
    leaves = [
        name
        for name in view.shown("jurisdiction", leaves=True)
        if view.answer["jurisdiction"] in view.axes["jurisdiction"].ancestors(name)
    ]
    rows = rows[
        rows["jurisdiction"].isin(leaves) & (rows["clock"] == clock) & (rows["label"] != "prior-driven")
    ]
    rows = rows[[not withheld(row) for row in rows.to_dict("records")]]
    draws = view.draws_of(list(rows["quantity_id"]))
    kept = ~np.isnan(draws).any(axis=0)
    if kept.sum() < FEWEST:
        return pd.DataFrame(columns=["jurisdiction", "place", "expected", "low", "high", "first"])
    ranks = ranks_of(draws[:, kept])
    low, high = np.quantile(ranks, [0.05, 0.95], axis=0, method="inverted_cdf")
    names = list(rows.loc[kept, "jurisdiction"])
    out = pd.DataFrame(
        {
            "jurisdiction": names,
            "place": [view.label("jurisdiction", name) for name in names],
            "expected": ranks.mean(axis=0),
            "low": low,
            "high": high,
            "first": (ranks <= FIRST).mean(axis=0),
        }
    )
    return out.sort_values(["expected", "place"], kind="stable").reset_index(drop=True)


def width(rows: pd.DataFrame) -> float:
    """Median over places of how many ranks the 90 % interval holds."""
    return float((rows["high"] - rows["low"] + 1).median())


def ordered(rows: pd.DataFrame) -> bool:
    """May the order be printed? Only where the intervals of ranks hold a third of the places or fewer."""
    return len(rows) > 0 and width(rows) <= SHARE * len(rows)


def ranks_table(step: StepView, rows: pd.DataFrame) -> Table:
    """The order with its uncertainty."""
    show = {
        "place": left("Jurisdiction", text),
        "expected": right("Expected rank", lambda v: number(v, 1)),
        "low": right("90 % from", count),
        "high": right("to", count),
        "first": right("Among the first five", probability),
    }
    note = "Rank 1 is the highest rate. Places that are prior-driven or not published have no rank."
    return printed(
        f"ranks-{step.name}", say("{title}: ranks").format(title=step.title), rows, show, (note,), folded=True
    )
