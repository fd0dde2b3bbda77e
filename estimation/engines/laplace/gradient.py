"""How the approximation changes with the scales.

The gradient of the scales' log density in θ, log standard deviations: what the mode contributes by moving enters
through the derivative of H alone (Kristensen et al. 2016).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cells import Higher, higher
from .point import Point, World

Floats = NDArray[np.float64]


def _more(world: World, point: Point) -> Higher:
    tau = world.effect_sd(point.theta)
    return higher(point.eta, world.grid.y, world.grid.n, tau, point.effect, world.rule(tau))


def gradient(world: World, point: Point) -> Floats:
    """Gradient of the value in θ, (B,)."""
    grid, seen = world.grid, _more(world, point)
    tau_square = np.exp(-2 * point.theta)
    eta, shared, own = point.arrow.variances()
    pull = _pull(eta, seen)
    back = point.arrow.solve(grid.border.T @ pull.sum(axis=0), pull @ grid.inner)
    out = np.zeros(world.blocks)
    for block in range(world.blocks):
        if block == world.cell:
            moved = (seen.slope_by_sd * grid.predictor(*back)).sum()
            out[block] = seen.by_sd.sum() + 0.5 * (eta * seen.second_by_sd).sum() + moved
            continue
        mine, inner = grid.border_block == block, grid.inner_block == block
        square = (point.shared[mine] ** 2).sum() + (point.own[:, inner] ** 2).sum()
        variance = shared[mine].sum() + own[:, inner].sum()
        # The mode moves by H⁻¹ · 2 P x when its prior widens.
        moved = 2 * ((back[0] * point.shared)[mine].sum() + (back[1] * point.own)[:, inner].sum())
        out[block] = tau_square[block] * (square + variance + moved) - grid.free[block]
    return out


def pulling(world: World, point: Point) -> Floats:
    """How -½ log |H| changes with the predictor, (J, C)."""
    return _pull(point.arrow.variances()[0], _more(world, point))


def _pull(eta: Floats, seen: Higher) -> Floats:
    # Through curvatures W = -second.
    return 0.5 * eta * seen.third


def leaning(world: World, point: Point) -> tuple[Floats, Floats]:
    """How the mode moves with θ, to first order: (B, p) and (B, J, q)."""
    grid, seen = world.grid, _more(world, point)
    shared = np.zeros((world.blocks, *point.shared.shape))
    own = np.zeros((world.blocks, *point.own.shape))
    double = 2 * np.exp(-2 * point.theta)
    for block in range(world.blocks):
        if block == world.cell:
            shared[block] = grid.border.T @ seen.slope_by_sd.sum(axis=0)
            own[block] = seen.slope_by_sd @ grid.inner
            continue
        mine, inner = grid.border_block == block, grid.inner_block == block
        shared[block, mine] = double[block] * point.shared[mine]
        own[block][:, inner] = double[block] * point.own[:, inner]
    return point.arrow.solve(shared, own)
