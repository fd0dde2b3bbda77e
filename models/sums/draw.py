"""Draws of the parts given that their totals lie in known ranges, for one or many sets of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .gibbs import STEEP, begin, chain, sweep

Ints = NDArray[np.int64]

BURN = 50
"""Sweeps of a table that was constructed, before its first draw."""


def _inputs(
    log_pi: ArrayLike, n: ArrayLike, low: ArrayLike, high: ArrayLike, axes: int
) -> list[NDArray[np.float64]]:
    arrays = [np.array(x, dtype=np.float64, order="C") for x in (log_pi, n, low, high)]
    m, c = arrays[0].shape[-2:]
    shapes = [x.shape for x in arrays[1:]]
    if arrays[0].ndim != axes or shapes != [(m,), (c - 1,), (c - 1,)] or c < 2:
        raise ValueError(f"log_pi has shape {arrays[0].shape}; n, low, high have {shapes}")
    np.maximum(arrays[0], -STEEP, out=arrays[0])
    arrays[0][..., arrays[1] == 0, :] = 0.0
    return arrays


def _start(log_pi: NDArray[np.float64], n: NDArray[np.float64], low: ArrayLike, high: ArrayLike) -> Ints:
    z = np.zeros(log_pi.shape, np.int64)
    if not begin(log_pi, n, low, high, z):
        raise ValueError(
            f"no table has totals between {np.asarray(low).tolist()} and {np.asarray(high).tolist()} with "
            f"{n.sum():g} units: totals must not rise from stage to stage, nor exceed the units"
        )
    return z


def draw_parts(
    rng: np.random.Generator,
    log_pi: ArrayLike,
    n: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    z: Ints | None = None,
    sweeps: int = 8,
) -> Ints:
    """Draw the cells' counts by category given that the totals lie in their ranges.

    Parameters
    ----------
    rng : numpy.random.Generator
    log_pi : (m, D + 1)
        Log probabilities that a unit reached exactly 0, …, D of the stages.
    n : (m,)
        Units. A Poisson part of mean λ is, to 1e-9, one more row of 1e9 units with probabilities λ / 1e9.
    low, high : (D,)
        Inclusive ranges of the totals of units that reached stage d or further.
    z : (m, D + 1) int, optional
        The table to continue from (not changed); its totals must lie in the ranges. Without it a table near
        the expected one is constructed and updated 50 times more.
    sweeps : int
        Gibbs sweeps. One cell with one stage, and two cells with one exact total, are drawn exactly by one
        sweep.

    Returns
    -------
    (m, D + 1) int
        Rows sum to ``n`` and totals lie in their ranges, exactly.

    Raises
    ------
    ValueError
        Where no table has such totals, or shapes disagree.
    """
    p, units, least, most = _inputs(log_pi, n, low, high, 2)
    if z is None:
        table = _start(p, units, least, most)
        sweeps += BURN
    else:
        table = np.array(z, dtype=np.int64, order="C")
        totals = np.cumsum(table.sum(axis=0)[:0:-1])[::-1]
        if table.shape != p.shape or np.any(table.sum(axis=1) != units) or np.any(table < 0):
            raise ValueError(f"z must have shape {p.shape}, rows that sum to n and no negative counts")
        if np.any(totals < least) or np.any(totals > most):
            raise ValueError(f"z has totals {totals.tolist()} outside {least.tolist()} to {most.tolist()}")
    sweep(rng, p, least, most, table, sweeps)
    return table


def draw_parts_many(
    seed: int | np.random.SeedSequence,
    log_pi: ArrayLike,
    n: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    sweeps: int = 4,
) -> Ints:
    """``draw_parts`` for R posterior draws of the probabilities, each from the table of the one before.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
    log_pi : (R, m, D + 1)
    n, low, high : (m,), (D,), (D,)
    sweeps : int

    Returns
    -------
    (R, m, D + 1) int
    """
    p, units, least, most = _inputs(log_pi, n, low, high, 3)
    out = np.zeros(p.shape, np.int64)
    if len(p) == 0:
        return out
    rng = np.random.default_rng(seed)
    table = _start(p[0], units, least, most)
    sweep(rng, p[0], least, most, table, BURN)
    chain(rng, p, least, most, table, sweeps, out)
    return out
