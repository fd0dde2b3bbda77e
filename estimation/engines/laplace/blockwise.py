"""Where is the normal law of the field good enough? Weights of one jurisdiction's part at a time, the rest held.

Over the whole field importance weights vary beyond use however good the law is in every part; jurisdiction by
jurisdiction they tell where it is not.
"""

from __future__ import annotations

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from ..contract import KHAT
from .cells import integrated
from .point import Point, Warm, World, precisions

Floats = NDArray[np.float64]
_DRAWS, _MORE = 200, 2000


def block_khats(
    rng: np.random.Generator, world: World, point: Point, shift: tuple[Floats, Floats], warm: Warm
) -> Floats:
    """The k-hat of each jurisdiction's coefficients given those that all share, at their mean.

    Parameters
    ----------
    world : World
    point : Point
        Whose precision the law has.
    shift : (p,), (J, q)
        From the mode to the law's mean.
    warm : Warm
        Holds the most likely cell effects there.

    Returns
    -------
    (J,)
        None where no effect tells jurisdictions apart. A few draws judge all; those that fail get ten times as many.
    """
    if not world.grid.inner.shape[1]:
        return np.zeros(0)
    rows = np.arange(len(world.grid.n))
    found = _khats(rng, world, point, shift, warm, rows, _DRAWS)
    again = np.flatnonzero(found >= KHAT)
    if len(again):
        found[again] = _khats(rng, world, point, shift, warm, again, _MORE)
    return found


def _khats(
    rng: np.random.Generator,
    world: World,
    point: Point,
    shift: tuple[Floats, Floats],
    warm: Warm,
    rows: NDArray[np.int64],
    draws: int,
) -> Floats:
    grid, tau = world.grid, world.effect_sd(point.theta)
    _, inner = precisions(world, point.theta)
    base = world.location + grid.border @ (point.shared + shift[0])
    mean, unroot = (point.own + shift[1])[rows], point.arrow.unroot[rows]
    y, n, start = grid.y[rows], grid.n[rows], warm.effect[rows]
    log = np.empty((draws, len(rows)))
    for one in log:
        z = rng.standard_normal(mean.shape)
        own = mean + np.matmul(z[:, None], unroot)[:, 0]
        value = integrated(base + own @ grid.inner.T, y, n, tau, start, world.rule(tau)).value.sum(axis=1)
        one[:] = value - 0.5 * (inner * own**2).sum(axis=1) + 0.5 * (z**2).sum(axis=1)
    # It weighs by the inverse of what it is given.
    return np.array([float(array_stats.psislw(-column)[1]) for column in log.T])
