"""Small triangular algebra in plain loops, for fused operations: a factor, its pullback, and solutions with it.

The pullback of the Cholesky factor is the unblocked one of Murray (2016, arXiv 1602.07527).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Sums may be taken in any order, so that they run on vectors; a number that is none stays one.
FAST = {"reassoc", "contract"}


def _factor(log_sd: Floats, noise: Floats, gram: Floats) -> Floats:
    """Lower factor (G, G) of Σ e^(2 log_sd) gram + diag(noise); log_sd (K,), noise (G,), gram (K, G, G)."""
    size = noise.shape[0]
    root = np.zeros((size, size))
    for k in range(log_sd.shape[0]):
        variance = np.exp(2.0 * log_sd[k])
        for i in range(size):
            for j in range(i + 1):
                root[i, j] += variance * gram[k, i, j]
    for i in range(size):
        root[i, i] += noise[i]
        for j in range(i):
            total = root[i, j]
            for m in range(j):
                total -= root[i, m] * root[j, m]
            root[i, j] = total / root[j, j]
        total = root[i, i]
        for m in range(i):
            total -= root[i, m] * root[i, m]
        root[i, i] = np.sqrt(total)
    return root


def _factor_pullback(root: Floats, g_root: Floats, log_sd: Floats, gram: Floats) -> tuple[Floats, Floats]:
    """Cotangents of log_sd and noise from that of the factor, which is overwritten."""
    size = root.shape[0]
    to_log_sd, to_noise = np.zeros(log_sd.shape[0]), np.zeros(size)
    for j in range(size - 1, -1, -1):
        d = root[j, j]
        total = g_root[j, j]
        for i in range(j + 1, size):
            total -= root[i, j] * g_root[i, j] / d
        total /= d
        above, g_above = root[j, :j], g_root[j, :j].copy()
        for m in range(j):
            g_above[m] -= total * above[m]
        for i in range(j + 1, size):
            column = g_root[i, j] / d
            g_root[i, j] = column
            row, g_row = root[i, :j], g_root[i, :j]
            for m in range(j):
                g_above[m] -= column * row[m]
            for m in range(j):
                g_row[m] -= column * above[m]
        g_root[j, :j] = g_above
        g_root[j, j] = 0.5 * total
        to_noise[j] = 0.5 * total
    for k in range(log_sd.shape[0]):
        total = 0.0
        for i in range(size):
            for j in range(i + 1):
                total += g_root[i, j] * gram[k, i, j]
        to_log_sd[k] = 2.0 * np.exp(2.0 * log_sd[k]) * total
    return to_log_sd, to_noise


def _errors_added(root: Floats, noise: Floats, shared: Floats) -> Floats:
    """S + D: the errors stand by themselves, but for the last ones, whose factor is ``shared`` (M, M)."""
    size, apart = root.shape[0], root.shape[0] - shared.shape[0]
    out = root.copy()
    for i in range(size):
        if i < apart:
            out[i, i] += np.sqrt(noise[i])
        for j in range(apart, i + 1):
            out[i, j] += shared[i - apart, j - apart]
    return out


def _solve_rows(root: Floats, b: Floats, x: Floats, begin: int, end: int) -> None:
    """Some rows of x = S⁻¹ b for a lower triangle S; those before are known."""
    for i in range(begin, end):
        total = b[i]
        for j in range(i):
            total -= root[i, j] * x[j]
        x[i] = total / root[i, i]


def _solve_rows_pullback(
    root: Floats, x: Floats, g_b: Floats, g_x: Floats, g_root: Floats, begin: int, end: int
) -> None:
    """Add to the cotangents of b, of the factor and of the rows before what that of some rows says."""
    for i in range(end - 1, begin - 1, -1):
        q = g_x[i] / root[i, i]
        g_b[i] += q
        for j in range(i):
            g_root[i, j] -= q * x[j]
            g_x[j] -= q * root[i, j]
        g_root[i, i] -= q * x[i]


def _solve(root: Floats, b: Floats) -> Floats:
    """S⁻¹ b for a lower triangle S."""
    x = np.empty(b.shape[0])
    solve_rows(root, b, x, 0, b.shape[0])
    return x


def _solve_back(root: Floats, b: Floats) -> Floats:
    """S⁻ᵀ b."""
    x = b.copy()
    for i in range(x.shape[0] - 1, -1, -1):
        x[i] /= root[i, i]
        for j in range(i):
            x[j] -= root[i, j] * x[i]
    return x


factor = numba.njit(error_model="numpy", fastmath=FAST)(_factor)
factor_pullback = numba.njit(error_model="numpy", fastmath=FAST)(_factor_pullback)
errors_added = numba.njit(error_model="numpy")(_errors_added)
solve_rows = numba.njit(error_model="numpy", fastmath=FAST)(_solve_rows)
solve_rows_pullback = numba.njit(error_model="numpy", fastmath=FAST)(_solve_rows_pullback)
solve = numba.njit(error_model="numpy", fastmath=FAST)(_solve)
solve_back = numba.njit(error_model="numpy", fastmath=FAST)(_solve_back)
