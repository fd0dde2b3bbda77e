"""Where the claims of a run tip: the least shift of the silent places at which each is no longer said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

EVEN: Final = 0.5
FLIP_COLUMNS: Final = ("key", "unit", "published", "withdrawn", "reversed")


def flips(curve: pd.DataFrame, claims: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Where each claim that holds crosses the threshold of being said, and where even odds.

    Parameters
    ----------
    curve : DataFrame
        Columns of ``TIPPING_COLUMNS``.
    claims : sequence of mapping
        As stored in ``claims.json``.

    Returns
    -------
    DataFrame
        Columns ``FLIP_COLUMNS``, a row a claim and unit: its probability without a shift, and the shifts nearest to
        zero, of either sign, from which on it is below its threshold and below one half; NaN where no shift of the
        curve is.
    """
    level = {claim["key"]: float(claim["threshold"]) for claim in claims if claim["holds"]}
    rows = []
    for (key, unit), block in curve[curve["key"].isin(level)].groupby(["key", "unit"], sort=False):
        ordered = block.sort_values("shift")
        shift, chance = ordered["shift"].to_numpy(float), ordered["probability"].to_numpy(float)
        at = float(np.interp(0.0, shift, chance))
        rows.append((key, unit, at, *(crossing(shift, chance, end) for end in (level[str(key)], EVEN))))
    return pd.DataFrame(rows, columns=list(FLIP_COLUMNS))


def crossing(shift: NDArray[np.float64], chance: NDArray[np.float64], level: float) -> float:
    """The shift nearest to zero at which a probability falls below a level, between points by straight lines.

    Parameters
    ----------
    shift, chance : (P,)
        Ascending shifts and the probabilities at them.
    level : float

    Returns
    -------
    float
        NaN where the probability never does; 0 where it is below without a shift.
    """
    if np.interp(0.0, shift, chance) < level:
        return 0.0
    ends = []
    for side in (shift >= 0, shift <= 0):
        at, p = shift[side], chance[side]
        order = np.argsort(np.abs(at))
        at, p = at[order], p[order]
        low = np.flatnonzero(p < level)
        if len(low) and low[0] > 0:
            k = low[0]
            ends.append(at[k - 1] + (at[k] - at[k - 1]) * (p[k - 1] - level) / (p[k - 1] - p[k]))
    return float(min(ends, key=abs)) if ends else float("nan")
