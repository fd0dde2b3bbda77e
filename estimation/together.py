"""Totals that share units: their covariance, and what each says given those before it in its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST = 1e-9


@dataclass(frozen=True)
class Together:
    """Several totals of each of S groups of one shape.

    Parameters
    ----------
    columns : (S, D) int
        Positions of the reports.
    covariance : (S, D, D)
        Of the totals given the rates, averaged over draws.
    """

    columns: NDArray[np.int64]
    covariance: Floats


def nested(n: Floats, reach: Floats, spread: Floats | float, others: Floats | float) -> Floats:
    """Mean covariance (S, D, D) of totals of which each holds a part of the units of the one before.

    Parameters
    ----------
    n : (S, m)
    reach : (R, S, m, D)
        Chance that a unit is in each total.
    spread : (R, S, m) or float
        Variance over that of a multinomial.
    others : (R, S, D) or float
        Poisson means of what else each total holds.
    """
    size, depth = len(reach), np.arange(reach.shape[-1])
    units = (n * spread)[..., None] * reach
    later = np.maximum(depth[:, None], depth)
    held = (units.sum(axis=2) + others).mean(axis=0)
    return held[:, later] - np.einsum("rsmd,rsme->sde", units, reach) / size


def chained(mean: Floats, given: Floats) -> Floats:
    """Mean covariance (S, 2, 2) of two totals (R, S, 2) of a ratio path; ``given``: variances given the one before."""
    ahead = mean[..., 1] / mean[..., 0]
    first = given[..., 0]
    out = np.array([[first, ahead * first], [ahead * first, given[..., 1] + ahead**2 * first]])
    return np.moveaxis(out.mean(axis=2), -1, 0)


def crossing(members: NDArray[np.bool_], variance: Floats) -> Floats:
    """Mean covariance (S, D, D) of totals over some of the cells each; variances of the cells (R, S, m)."""
    inside = members.astype(float)
    return np.einsum("sdm,sem,sm->sde", inside, inside, variance.mean(axis=0))


def joined(parts: Sequence[tuple[int, tuple[Together, ...]]]) -> tuple[Together, ...]:
    """Of covariances over so many draws each, those over all."""
    whole = sum(size for size, _ in parts)
    out = []
    for same in zip(*(found for _, found in parts), strict=True):
        weighed = [one.covariance * size / whole for (size, _), one in zip(parts, same, strict=True)]
        out.append(Together(same[0].columns, np.sum(weighed, axis=0)))
    return tuple(out)


def one_by_one(mean: Floats, variance: Floats, together: Sequence[Together]) -> tuple[Floats, Floats]:
    """Means (R, N) and variances (N,) of what is new in each total, given those before it in its group.

    New is what the linear regression on the others leaves. What was counted at an earlier date is in the latest count:
    beside it the earlier ones tell of the delay alone.
    """
    if not together:
        return mean, variance
    mean, variance = mean.copy(), variance.copy()
    for group in together:
        at, shared = group.columns, group.covariance.copy()
        for d in range(at.shape[1]):
            own = shared[:, d, d]
            variance[at[:, d]] = np.where(own > _LEAST * group.covariance[:, d, d], own, np.inf)
            slope = shared[:, d] / np.where(own > 0, own, np.inf)[:, None]
            slope[:, : d + 1] = 0.0
            mean[:, at] -= slope * mean[:, at[:, d]][..., None]
            shared = shared - slope[:, :, None] * shared[:, d][:, None, :]
    return mean, variance
