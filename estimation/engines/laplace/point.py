"""The Laplace approximation at given scales: the field's mode, its precision, and the scales' log density.

log p(y | θ) ≈ log p(y | x) + log p(x | θ) - ½ log |H| at the mode x (Tierney and Kadane 1986; Rue, Martino and Chopin
2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from ..arrow import Arrow, factor
from ..grid import INTERCEPT, Grid
from .cells import TRAPEZOIDS, Marginal, integrated

Floats = NDArray[np.float64]
_MOST = 40
# Twice what the value may still gain: for gradients, and where that is added to it.
_EXACT, _NEARBY = 1e-9, 1.0
_NEAR = 0.01
LEAST_LOG_SD, MOST_LOG_SD = -12.0, 4.0
# Up to this sd of the cells' effects Gauss-Hermite nodes serve: eleven are exact to 1e-6 nats a cell, five to 3e-4.
SMALL, NODES, FEW_NODES = 0.8, 11, 5


@dataclass(frozen=True)
class World:
    """What does not change with the scales.

    Parameters
    ----------
    grid : Grid
    location, precision : float
        Of the intercept's normal prior.
    blocks : int
        Number of blocks B; θ has one log standard deviation for each.
    cell : int
        Number of the cell effect's block, -1 for none.
    nodes : int
        Of the quadrature over a cell's effect where that is ``SMALL``.
    """

    grid: Grid
    location: float
    precision: float
    blocks: int
    cell: int
    nodes: int = NODES

    def effect_sd(self, theta: Floats) -> float:
        """Standard deviation of the cell effect; zero for none."""
        return float(np.exp(theta[self.cell])) if self.cell >= 0 else 0.0

    def rule(self, tau: float) -> int:
        """Nodes for effects of this standard deviation; where it is large, trapezoids over all that matters."""
        return self.nodes if tau <= SMALL else TRAPEZOIDS


@dataclass
class Warm:
    """Where the next search starts; every thread has its own.

    Parameters
    ----------
    shared, own : (p,), (J, q)
        Coefficients; the intercept as its departure from the prior's location.
    effect : (J, C)
        Most likely cell effects.
    """

    shared: Floats
    own: Floats
    effect: Floats

    def copy(self) -> Warm:
        """A start of one's own."""
        return Warm(self.shared.copy(), self.own.copy(), self.effect.copy())


def cold(world: World) -> Warm:
    """The prior's centre, with the intercept at the pooled rate."""
    grid = world.grid
    shared = np.zeros(grid.border.shape[1])
    rate = (grid.y.sum() + 0.5) / (grid.n.sum() + 1.0)
    shared[grid.border_block == INTERCEPT] = np.log(rate / (1 - rate)) - world.location
    return Warm(shared, np.zeros((len(grid.n), grid.inner.shape[1])), np.zeros(grid.n.shape))


@dataclass(frozen=True)
class Point:
    """The approximation at one θ.

    Parameters
    ----------
    theta : (B,) float
    value : float
        Log density of the data, the field integrated out; the prior of θ is not in it.
    shared, own : (p,), (J, q)
        The mode.
    eta, effect : (J, C)
        The predictor there, and the most likely cell effects.
    marginal : Marginal
    arrow : Arrow
    """

    theta: Floats
    value: float
    shared: Floats
    own: Floats
    eta: Floats
    effect: Floats
    marginal: Marginal
    arrow: Arrow


def best(world: World) -> float:
    """Log density of the data where every cell has the rate that was seen in it: no scales give more."""
    y, n = world.grid.y, world.grid.n
    return float((xlogy(y, y) + xlogy(n - y, n - y) - xlogy(n, n)).sum())


def precisions(world: World, theta: Floats) -> tuple[Floats, Floats]:
    """Prior precisions of border (p,) and inner coefficients (q,)."""
    inverse = np.exp(-2 * theta)
    block = world.grid.border_block
    shared = np.where(block == INTERCEPT, world.precision, inverse[np.maximum(block, 0)])
    return shared, inverse[world.grid.inner_block]


@dataclass(frozen=True)
class Near:
    """The approximation at one θ, from one factor beside the mode: for values and draws.

    Parameters
    ----------
    value : float
        As of a ``Point``, to second order in the distance to the mode.
    shared, own : (p,), (J, q)
        The mode, by the last Newton step.
    arrow : Arrow
    """

    value: float
    shared: Floats
    own: Floats
    arrow: Arrow


@dataclass(frozen=True)
class _Climbed:
    """Where a search of the mode ended, what its last step promises, and which step that is."""

    shared: Floats
    own: Floats
    eta: Floats
    seen: Marginal
    value: float
    arrow: Arrow
    gain: float
    move: tuple[Floats, Floats]


def approximate(world: World, theta: Floats, warm: Warm) -> Point:
    """Find the mode by Newton steps from ``warm``, which is moved there, and factor the precision.

    Parameters
    ----------
    world : World
    theta : (B,)
    warm : Warm

    Raises
    ------
    FloatingPointError
        The search did not end; the density is concave, so that only overflow can be the reason.
    """
    theta = _held(theta)
    end = _climb(world, theta, warm, _EXACT)
    warm.shared, warm.own = end.shared, end.own
    return Point(theta, end.value, end.shared, end.own, end.eta, warm.effect.copy(), end.seen, end.arrow)


def nearby(world: World, theta: Floats, warm: Warm, pull: Floats) -> Near:
    """The same from a start so near the mode that one factor says all: what is left to gain is added.

    Parameters
    ----------
    warm : Warm
        Near the mode, as what ``leaning`` promises is; further steps are taken where it is not.
    pull : (J, C)
        How -½ log |H| changes with the predictor, at some θ not far away (``pulling``).
    """
    theta = _held(theta)
    end = _climb(world, theta, warm, _NEARBY)
    moved = end.shared + end.move[0], end.own + end.move[1]
    value = end.value + 0.5 * end.gain + float((pull * world.grid.predictor(*end.move)).sum())
    return Near(value, *moved, end.arrow)


def _held(theta: Floats) -> Floats:
    return np.clip(theta, LEAST_LOG_SD, MOST_LOG_SD)


def _climb(world: World, theta: Floats, warm: Warm, close: float) -> _Climbed:
    """Newton steps until one promises less than half of ``close``; the cell effects of ``warm`` go along."""
    grid = world.grid
    tau = world.effect_sd(theta)
    border, inner = precisions(world, theta)

    def at(shared: Floats, own: Floats) -> tuple[Floats, Marginal, float]:
        eta = world.location + grid.predictor(shared, own)
        seen = integrated(eta, grid.y, grid.n, tau, warm.effect, world.rule(tau))
        prior = 0.5 * ((border * shared**2).sum() + (inner * own**2).sum())
        return eta, seen, float(seen.value.sum() - prior)

    shared, own = warm.shared, warm.own
    eta, seen, height = at(shared, own)
    for _ in range(_MOST):
        arrow = factor(grid, -seen.second, border, inner)
        slope = (
            grid.border.T @ seen.slope.sum(axis=0) - border * shared,
            seen.slope @ grid.inner - inner * own,
        )
        move = arrow.solve(*slope)
        gain = float((slope[0] * move[0]).sum() + (slope[1] * move[1]).sum())
        if gain < close:
            value = height + _normalizer(world, theta) - 0.5 * arrow.log_det
            return _Climbed(shared, own, eta, seen, value, arrow, gain, move)
        size = 1.0
        while True:
            there = shared + size * move[0], own + size * move[1]
            found = at(*there)
            # Near the mode whole steps are safe, while few nodes leave value and slope too far apart to compare.
            if gain < _NEAR or found[2] >= height + 0.1 * size * gain or size < 1e-6:
                break
            size *= 0.5
        (shared, own), (eta, seen, height) = there, found
    raise FloatingPointError(f"no mode of the field was found at log scales {np.round(theta, 2)}")


def _normalizer(world: World, theta: Floats) -> float:
    """Log of the prior's constant and of the Gaussian integral's; the 2π cancel."""
    effects = [b for b in range(world.blocks) if b != world.cell]
    return float(0.5 * np.log(world.precision) - (world.grid.free[effects] * theta[effects]).sum())
