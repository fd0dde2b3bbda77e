"""The scales: their mode, and weighted points around it.

The posterior of θ, log standard deviations, is approximated by the Laplace value times the prior. A normal law at its
mode, stretched on either side of each principal axis by what the density there asks for, proposes the points, which
are weighted by importance with their largest weights smoothed (Vehtari et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2, norm, qmc

Floats = NDArray[np.float64]
Slope = Callable[[Floats], tuple[float, Floats]]
Height = Callable[[Floats], float]
_STEP = 0.1
_REACH = np.sqrt(2.0)
_WIDEST, _NARROWEST = 3.0, 0.5
_DEGREES = 7.0


@dataclass(frozen=True)
class Mode:
    """Most likely scales.

    Parameters
    ----------
    theta : (B,) float
    axes : (B, B) float
        Columns are principal axes, each as long as one standard deviation of the curvature there.
    stretch : (2, B) float
        Factors of these lengths on the lower and on the upper side.
    evaluations : int
    """

    theta: Floats
    axes: Floats
    stretch: Floats
    evaluations: int


@dataclass(frozen=True)
class Points:
    """Weighted points of θ.

    Parameters
    ----------
    theta : (K, B) float
    weight : (K,) float
        Smoothed, summing to one.
    khat : float
        Shape of the weights' tail; below 0.7 they can be trusted.
    """

    theta: Floats
    weight: Floats
    khat: float

    @property
    def effective(self) -> float:
        """Number of equally weighted points worth as much."""
        return float(1 / (self.weight**2).sum())


def climb(density: Slope, start: Floats) -> tuple[Floats, float, int]:
    """The mode of a log density with gradient, from θ (B,) to both; its height; and how often it was asked."""

    def down(theta: Floats) -> tuple[float, Floats]:
        value, slope = density(theta)
        return -value, -slope

    found = minimize(
        down, start, jac=True, method="L-BFGS-B", options={"gtol": 0.02, "ftol": 1e-13, "maxiter": 200}
    )
    return found.x, -float(found.fun), int(found.nfev)


def shaped(
    top: tuple[Floats, float, int], slope: Callable[[Floats], Floats], height: Height, pool: Executor
) -> Mode:
    """The shape of a log density at its mode.

    Parameters
    ----------
    top : (B,), float, int
        What ``climb`` found.
    slope, height : callable
        From θ (B,) to the gradient (B,), and to the log density; called from several threads.
    pool : Executor
    """
    theta, most, count = top
    size = len(theta)
    ways = [sign * _STEP * axis for axis in np.eye(size) for sign in (-1, 1)]
    slopes = np.array(list(pool.map(slope, [theta + way for way in ways])))
    hessian = (slopes[0::2] - slopes[1::2]) / (2 * _STEP)
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    axes = vectors / np.sqrt(np.maximum(values, 0.05))
    ends = [theta + sign * _REACH * axis for sign in (-1, 1) for axis in axes.T]
    heights = np.array(list(pool.map(height, ends))).reshape(2, size)
    drop = np.maximum(most - heights, 1e-3)
    # A normal density falls by reach² / 2 = 1 there.
    stretch = np.clip(1 / np.sqrt(drop), _NARROWEST, _WIDEST)
    return Mode(theta, axes, stretch, count + 4 * size)


def make_points[T](
    density: Callable[[int, Floats], tuple[float, T]],
    mode: Mode,
    size: int,
    seeds: Sequence[int],
    pool: Executor,
) -> tuple[Points, list[T]]:
    """Weighted points of the proposal, and what the density found at each.

    Parameters
    ----------
    density : callable
        From a point's number and θ to its log density, and anything beside it; called from several threads.
    size : int
        Points of a quasi-random sample, a power of two.
    seeds : sequence of int
        One a sample, each scrambled by itself: what differs between them is their error.

    Returns
    -------
    Points
        Sample after sample.
    """
    dimension = len(mode.theta)
    sobol = np.concatenate([qmc.Sobol(dimension + 1, seed=seed).random(size) for seed in seeds])
    uniform = np.clip(sobol, 1e-9, 1 - 1e-9)
    shrink = np.sqrt(chi2(_DEGREES).ppf(uniform[:, -1]) / _DEGREES)
    z = norm.ppf(uniform[:, :-1]) / shrink[:, None]
    # Each half of an axis has half the chance, whatever its length.
    side = mode.stretch[(z > 0).astype(int), np.arange(dimension)]
    theta = mode.theta + (z * side) @ mode.axes.T
    proposal = -(_DEGREES + dimension) / 2 * np.log1p((z**2).sum(axis=1) / _DEGREES) - np.log(side).sum(
        axis=1
    )
    values = list(pool.map(density, range(len(theta)), theta))
    target = np.array([value for value, _ in values])
    log_weight, khat = array_stats.psislw(proposal - target)  # it weighs by the inverse
    weight = np.exp(log_weight - log_weight.max())
    return Points(theta, weight / weight.sum(), float(khat)), [beside for _, beside in values]
