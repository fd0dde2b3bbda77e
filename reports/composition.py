"""What a change of the whole is made of: other rates, or another mix of the parts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.names import CHANGE
from .companions import withheld
from .view import View
from .wording import say

Floats = NDArray[np.float64]

SURE: Final = 0.9
CLOSE: Final = 0.01
BY: Final = ("offense", "jurisdiction")


def mix_part(before: Floats, after: Floats, rates_before: Floats, rates_after: Floats) -> Floats:
    """The part of a change of a weighted mean that its weights account for (Kitagawa 1955).

    Parameters
    ----------
    before, after : ndarray
        (parts,) units of each part in the two periods, of any sum.
    rates_before, rates_after : ndarray
        (draws, parts).

    Returns
    -------
    ndarray
        (draws,); the change less this is what the rates account for, at the mean of both mixes.
    """
    moved = after / after.sum() - before / before.sum()
    return (rates_before + rates_after) / 2 @ moved


def decomposed(view: View) -> pd.DataFrame:
    """The published change of the whole at every step, split by the mix of offenses and by that of jurisdictions.

    Returns
    -------
    DataFrame
        step, by, period, quantity_id, parts, why (it cannot be split; empty where it is), and median, q05, q95 of
        ``change``, ``mix`` and ``rates`` (columns ``mix_q05``, …); ``against``: the whole went one way and, with
        the mix held, the rates the other, each with a probability of .9 or more.
    """
    rows = view.quantities("change")
    for axis in BY:
        rows = rows[rows[axis] == view.answer[axis]]
    rows = rows.drop_duplicates("step")
    found = [_split(view, by, row) for row in rows.to_dict("records") if not withheld(row) for by in BY]
    return pd.DataFrame([line for line in found if line is not None])


def _split(view: View, by: str, row: dict[str, Any]) -> dict[str, Any] | None:
    before, after = row["period"].split(CHANGE)
    axis = view.axes[by]
    children = [name for name in view.shown(by) if axis.by_name[name].parent == view.answer[by]]
    if len(children) < 2:
        return None
    rates = view.crossed(by, "period")
    rates = rates[rates["step"] == row["step"]].set_index([by, "period"])
    line = {"step": row["step"], "by": by, "period": row["period"], "quantity_id": row["quantity_id"],
            "parts": len(children), "against": False, "why": ""}  # fmt: skip
    keys = [(name, period) for period in (before, after) for name in children]
    whole = [(view.answer[by], period) for period in (before, after)]
    if not all(key in rates.index for key in (*keys, *whole)):
        return line | {"why": "not every part has a rate in both periods"}
    hidden = sum(bool(withheld(rates.loc[key].to_dict())) for key in keys)
    if hidden:
        return line | {
            "why": say("{hidden} of the {keys} rates of its parts are not published").format(
                hidden=hidden, keys=len(keys)
            )
        }
    size = rates["denominator_median"]
    weights = np.array([size[key] for key in keys], dtype=float).reshape(2, -1)
    if np.any(np.abs(weights.sum(axis=1) / [size[key] for key in whole] - 1) > CLOSE):
        return line | {"why": "its parts do not add up to it"}
    draws = view.draws_of([rates.loc[key, "quantity_id"] for key in keys] + [row["quantity_id"]])
    if np.isnan(draws).any():
        return line | {"why": "joint draws of its parts are not kept"}
    n = len(children)
    change = draws[:, -1]
    mix = mix_part(weights[0], weights[1], draws[:, :n], draws[:, n:-1])
    inside = change - mix
    for name, values in (("change", change), ("mix", mix), ("rates", inside)):
        ends = np.quantile(values, [0.5, 0.05, 0.95])
        line |= dict(zip((f"{name}_{q}" for q in ("median", "q05", "q95")), ends, strict=True))
    return line | {"against": opposite(change, inside)}


def opposite(change: Floats, inside: Floats) -> bool:
    """Did the whole go one way and the rates inside it the other, each with a probability of .9 or more?"""
    return any(min(np.mean(sign * change > 0), np.mean(-sign * inside > 0)) >= SURE for sign in (1, -1))
