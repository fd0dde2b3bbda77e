"""The label of a row: what a reader may take it for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data.names import LABELS
from .rows import Bools, Floats

DATA, ASSISTED, PRIOR, NOT, COUNTED, _ = LABELS


def label(
    contraction: Floats, own: Floats, margins_only: Bools, unread: Bools, few: Bools
) -> NDArray[np.object_]:
    """Labels of superpopulation rows.

    Parameters
    ----------
    contraction : (N,)
        Against the prior.
    own : (N,)
        Against an exchangeable new unit; NaN for rows without siblings, where the first alone counts.
    margins_only : (N,) bool
        Every statement that touches the row also holds cells outside it: never more than model-assisted.
    unread : (N,) bool
        Nothing recorded or modeled says how the row's rate departs from that of the sums it is part of: with margins
        only, never more than prior-driven.
    few : (N,) bool
        Too little of the row's denominator reports: never more than model-assisted.
    """
    smaller = np.where(np.isnan(own), contraction, np.minimum(contraction, own))
    smaller = np.nan_to_num(smaller)
    out = np.full(len(smaller), NOT, dtype=object)
    out[smaller >= 0.05] = PRIOR
    out[smaller >= 0.3] = ASSISTED
    out[smaller >= 0.7] = DATA
    out[(out == DATA) & (margins_only | few)] = ASSISTED
    out[(out == ASSISTED) & margins_only & unread] = PRIOR
    return out
