"""From the field's mode to its mean: a few variational steps.

Where counts are few the mode lies beside the mean, in every sparse place on the same side, so that totals inherit the
error. With the precision held, the nearest normal law has its mean where the expected gradient is zero:
m ← m + S E[∇ log p], the expectation over a few fixed antithetic draws (Opper and Archambeau 2009).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cells import integrated
from .point import Point, Warm, World, precisions

Floats = NDArray[np.float64]
STEPS = 3
DRAWS = 24


def mean_shift(
    rng: np.random.Generator, world: World, point: Point, warm: Warm, steps: int = STEPS, draws: int = DRAWS
) -> tuple[Floats, Floats]:
    """What to add to the mode's coefficients, (p,) and (J, q).

    Parameters
    ----------
    steps : int
        Zero leaves the mode where it is.
    draws : int
        Pairs of antithetic draws.
    """
    grid = world.grid
    border, inner = precisions(world, point.theta)
    tau = world.effect_sd(point.theta)
    away = point.arrow.draw(rng, draws)
    bends = grid.predictor(*away)
    shared, own = np.zeros_like(point.shared), np.zeros_like(point.own)
    for _ in range(steps):
        eta = point.eta + grid.predictor(shared, own)
        slope = np.zeros_like(eta)
        for bend in bends:
            for sign in (1.0, -1.0):
                slope += integrated(
                    eta + sign * bend, grid.y, grid.n, tau, warm.effect.copy(), world.rule(tau)
                ).slope
        slope /= 2 * draws
        move = point.arrow.solve(
            grid.border.T @ slope.sum(axis=0) - border * (point.shared + shared),
            slope @ grid.inner - inner * (point.own + own),
        )
        shared += move[0]
        own += move[1]
    return shared, own
