"""Counts that keep the most outcomes that a unit can have, the plan's ``max_per_unit``.

The densities let a negative binomial be as large as it likes; that a count lies within its limit is a fact about it, to
which draws of complete counts are held.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..models.limits import most
from ..models.sums.fibre import draw_fibre, first_table
from .countlaws import draw_between, log_negbin, share_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_TRIES = 11
_SWEEPS = 12


def most_outcomes(units: Floats, limit: Floats | float) -> Floats:
    """The greatest whole number of outcomes of some units; infinite where nothing limits it."""
    return np.floor(most(units, np.asarray(limit)) + 1e-9)


def least_units(outcomes: Floats, limit: Floats | float) -> Floats:
    """The least whole number of units that so many outcomes need."""
    return np.ceil(outcomes / limit - 1e-9)


def draw_within(
    size: int, draw: Callable[[Ints, bool], Floats], beyond: Callable[[Floats], NDArray[np.bool_]]
) -> Floats:
    """Draws, those beyond a limit drawn again, ten times at most before the limit is forced.

    Parameters
    ----------
    size : int
    draw : callable
        Draws of some of the rows, (k, …), and whether to force them within the limit.
    beyond : callable
        Which of some draws (k, …) are not within it, (k,).

    Returns
    -------
    (size, …) float
    """
    drawn = draw(np.arange(size), False)
    over = np.flatnonzero(beyond(drawn))
    for attempt in range(_TRIES):
        if not len(over):
            break
        drawn[over] = draw(over, attempt == _TRIES - 1)
        over = over[beyond(drawn[over])]
    return drawn


def share_within(rng: np.random.Generator, total: Floats, shape: Floats, cap: Floats) -> Floats:
    """Totals (R,) of negative binomials of the given sizes, shared among cells of which none exceeds its cap.

    Parameters
    ----------
    rng : Generator
    total : (R,)
    shape, cap : (R, m)

    Returns
    -------
    (R, m) float
        Shares that keep the caps as they fall are kept; the others are replaced by walks over the tables that meet
        both, where the caps leave room for the total.
    """
    out = share_out(rng, total, shape)
    for row in np.flatnonzero((out > cap).any(axis=1)):
        members = np.ones((1, out.shape[1]), dtype=bool)
        whole, ceiling = total[row : row + 1], np.minimum(cap[row], total[row])
        if first_table(members, whole, ceiling) is None:
            continue
        law = np.zeros((1, len(ceiling))), -shape[row : row + 1]
        mean = np.minimum(total[row] * shape[row] / shape[row].sum(), ceiling)
        out[row] = draw_fibre(int(rng.integers(2**31)), members, whole, *law, ceiling, mean)[0]
    return out


def range_within(
    rng: np.random.Generator,
    counts: Floats,
    low: float,
    high: float,
    mean: Floats,
    factor: Floats,
    cap: Floats,
) -> Floats:
    """Negative binomials of which none exceeds its cap and whose total lies in a range.

    The more room the caps leave at a total, the likelier it is: a total drawn without a thought of them, as that of
    ``counts`` was, is not one of their law.

    Parameters
    ----------
    rng : Generator
    counts : (R, m)
        Within the caps and the range: where the walk begins.
    low, high : float
    mean : (R, m)
    factor : (R,)
        The variance factor of all cells.
    cap : (m,)

    Returns
    -------
    (R, m) float
        After a dozen sweeps in which each cell is drawn anew given the others.
    """
    out = counts.copy()
    for _ in range(_SWEEPS):
        for cell in rng.permutation(out.shape[1]):
            others = out.sum(axis=1) - out[:, cell]
            least, most = np.maximum(low - others, 0.0), np.minimum(high - others, cap[cell])
            out[:, cell] = draw_between(rng, least, most, _negbin(mean[:, cell], factor))
    return out


def _negbin(mean: Floats, factor: Floats) -> Callable[[Floats], Floats]:
    return lambda at: log_negbin(at, mean[:, None], factor[:, None])
