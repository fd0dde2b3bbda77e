"""Monte-Carlo error of exchangeable draws from weighted points of the scales.

What of a quantity follows the scales is known to as many points as their weights are worth, the rest to as many draws
as there are: with f the share of its variance that follows them, var = (1 - f) / R + f / K of that of one draw. The
share is that of a linear regression on the logarithms of the scales, which a few coefficients measure for ten
thousands of quantities without the worst of them being worst by chance. Batches over points measure the same with no
such assumption, and more noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .aside import Aside
from .convergence import Convergence

Floats = NDArray[np.float64]
Draws = Aside | NDArray[np.floating[Any]]
_TOGETHER = 256


def exchangeable(
    values: Draws, names: Sequence[str], scales: Floats, effective: Sequence[float]
) -> Convergence:
    """The least effective number of draws among quantities.

    Parameters
    ----------
    values : (R, Q)
    names : sequence of str
        Q names. Quantities that never vary are left out: they were counted.
    scales : (R, S, B)
        Logarithms of the scales of each step.
    effective : sequence of float
        Worth of the points of each step, S of them.

    Returns
    -------
    Convergence
        R-hat 1: there are no chains to disagree.
    """
    size = len(values)
    bases = [_basis(scales[:, step]) for step in range(scales.shape[1])]
    worst, at, count = float(size), "", 0
    for columns, away in _parts(values):
        whole = (away**2).sum(axis=0)
        shares = [np.zeros(len(whole)) if not basis.size else _share(basis, away, whole) for basis in bases]
        more = sum(share * (size / k - 1) for share, k in zip(shares, effective, strict=True))
        found = np.minimum(size / (1 + more), size)
        count += len(found)
        if len(found) and (found.min() < worst or not at):
            worst, at = float(found.min()), names[columns[int(found.argmin())]]
    return Convergence(1.0, "", worst, at, count)


def batch_errors(values: Draws, points: NDArray[np.int64]) -> Floats:
    """Standard error of each mean in standard deviations, by batches: all draws of one point are one batch.

    Parameters
    ----------
    values : (R, Q)
    points : (R, S)
        Which point of each step a draw is from.

    Returns
    -------
    (Q',)
        Of the quantities that vary.
    """
    size, out = len(values), []
    batches = [_incidence(of_step) for of_step in points.T]
    for _, away in _parts(values):
        alone = (away**2).sum(axis=0)
        whole = alone.copy()
        for batch in batches:
            whole += np.maximum(((batch @ away) ** 2).sum(axis=0) - alone, 0.0)
        out.append(np.sqrt(whole / alone / size))
    return np.concatenate(out) if out else np.zeros(0)


def _incidence(points: NDArray[np.int64]) -> sp.csr_matrix:
    """Which draws are from each point, (points, R)."""
    place = np.unique(points, return_inverse=True)[1]
    return sp.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))))


def _parts(values: Draws) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """Columns that vary, a few at a time, less their means."""
    for start in range(0, values.shape[1], _TOGETHER):
        some = values[:, start : start + _TOGETHER].astype(float)
        some -= some.mean(axis=0)
        varies = np.flatnonzero((some**2).mean(axis=0) > 1e-24)
        yield start + varies, some[:, varies]


def _basis(scales: Floats) -> Floats:
    """Orthonormal directions of the scales over the draws, (R, B')."""
    left, size, _ = np.linalg.svd(scales - scales.mean(axis=0), full_matrices=False)
    return left[:, size > 1e-9 * max(size.max(initial=0.0), 1e-300)]


def _share(basis: Floats, away: Floats, whole: Floats) -> Floats:
    """Adjusted share of the variance that the directions explain."""
    size, width = basis.shape
    share = ((basis.T @ away) ** 2).sum(axis=0) / whole
    return np.maximum(1 - (1 - share) * (size - 1) / max(size - 1 - width, 1), 0.0)
