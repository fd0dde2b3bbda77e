"""Rows of many draws, a few of them at a time: what is worked on stays in the processor's cache.

A pass of NumPy over all rows and draws reads and writes main memory, and its temporary arrays are as large again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
# Numbers worked on at a time: half a megabyte in double precision.
_AT_ONCE = 64_000


@numba.njit(nogil=True, error_model="numpy", cache=True)
def weighted_means(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    share: Floats,
    weight: Floats,
    below: Floats,
    rates: Reals,
) -> Floats:
    """Means of the rates of the cells of each row, under each draw.

    Parameters
    ----------
    indptr, indices, share
        Rows by cells (N, A), as a compressed sparse matrix.
    weight : (A, R), or (A, 1) where all draws agree
    below : (N, R), or (N, 1)
        Sums of the weights; where it is zero the plain mean is taken.
    rates : (L, A, R)
        Of the steps on the way, which are multiplied.

    Returns
    -------
    (N, R)
    """
    length, _, size = rates.shape
    agree = weight.shape[1] == 1
    out = np.zeros((len(indptr) - 1, size))
    path, plain = np.empty(size), np.empty(size)
    for row in range(len(out)):
        total = out[row]
        hollow = below[row].min() <= 0
        cells = 0.0
        plain[:] = 0.0
        for at in range(indptr[row], indptr[row + 1]):
            cell, part = indices[at], share[at]
            for r in range(size):
                path[r] = rates[0, cell, r]
            for step in range(1, length):
                for r in range(size):
                    path[r] *= rates[step, cell, r]
            if agree:
                fixed = part * weight[cell, 0]
                for r in range(size):
                    total[r] += fixed * path[r]
            else:
                for r in range(size):
                    total[r] += part * weight[cell, r] * path[r]
            if hollow:
                cells += part
                for r in range(size):
                    plain[r] += part * path[r]
        if agree and not hollow:
            once = 1.0 / below[row, 0]
            for r in range(size):
                total[r] *= once
        else:
            for r in range(size):
                sum_ = below[row, 0 if agree else r]
                total[r] = total[r] / sum_ if sum_ > 0 else plain[r] / max(cells, 1.0)
    return out


# Sums may be taken in another order: several at a time.
@numba.njit(nogil=True, error_model="numpy", cache=True, fastmath={"reassoc", "contract"})
def means_and_variances(values: Reals) -> tuple[Floats, Floats]:
    """Mean and variance (over R) of each row of (N, R), each (N,)."""
    rows, size = values.shape
    mean, variance = np.empty(rows), np.empty(rows)
    for row in range(rows):
        # Less the first of them: numbers that are all the same have no variance, to the last bit.
        first, total = float(values[row, 0]), 0.0
        for r in range(size):
            total += values[row, r] - first
        mean[row] = first + total / size
        square = 0.0
        for r in range(size):
            square += (values[row, r] - mean[row]) ** 2
        variance[row] = square / size
    return mean, variance


def variances(values: Reals, of: Callable[[Reals], Floats]) -> Floats:
    """Variances of what a function makes of rows (N, R), (N,)."""
    out = np.empty(len(values))
    for few in row_blocks(*values.shape):
        out[few] = means_and_variances(of(values[few]))[1]
    return out


def medians(values: Reals) -> Reals:
    """Medians of rows (N, R), (N,); NaN where some draw is."""
    size = values.shape[1]
    out = np.empty(len(values), dtype=values.dtype)
    for few in row_blocks(*values.shape):
        # To sort is several times faster than to look for the middle.
        ordered = np.sort(values[few], axis=1)
        out[few] = ordered[:, [(size - 1) // 2, size // 2]].mean(axis=1)
        out[few][np.isnan(ordered[:, -1])] = np.nan
    return out


def row_blocks(rows: int, size: int) -> list[slice]:
    """Rows of so many draws, a few at a time."""
    few = max(_AT_ONCE // max(size, 1), 1)
    return [slice(start, min(start + few, rows)) for start in range(0, rows, few)]
