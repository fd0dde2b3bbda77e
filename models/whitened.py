"""Sighted sums from coordinates that are standard normal given those before; plain loops for ``conditioned_op``.

The sums come in one order: those of single counts, whose residuals r are known, then the cells of one split total
after the other (see ``anchors``), the largest of each first. A smaller cell's residual is what the sums before say of
it, the largest as if it held the whole total, and its coordinate ζ, with the factor S of their covariance:
r_i = Σ_{j<i} S_ij y_j + S_ii ζ_i. The largest takes what is left of the total: where the smaller cells would hold m_i
by themselves, the cells hold

    m_i e^(-a_i δ)  and  y e^(-δ),  with δ such that they sum to the total y,

a_i = S_ii² / (S_ii² + S_LL²): a cell that is known closely does not give way, the largest does. The determinant of
this division, on the log scale, is one over q = Σ a_i p_i + p_L, with p the cells' shares of the total. Of a total
known from below alone, log y lies w log(1 + e^(v / w)) beyond the wall, with v = μ + S_LL ζ what the sums before say of
it, less the wall: far from the wall as if there were none. Of all sums, y = S⁻¹ r.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from .triangular import FAST, solve_rows, solve_rows_pullback

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_STEPS = 60
_CLOSE = 1e-14


def _divide(alone: Floats, give: Floats, total: float) -> float:
    """δ of a total: the root of log(Σ e^(alone - total - give δ) + e^-δ), convex and falling, by Newton's steps."""
    delta = 0.0
    if alone.shape[0] == 0:
        return delta
    for _ in range(_STEPS):
        top = -delta
        for i in range(alone.shape[0]):
            top = max(top, alone[i] - total - give[i] * delta)
        whole = np.exp(-delta - top)
        slope = whole
        for i in range(alone.shape[0]):
            share = np.exp(alone[i] - total - give[i] * delta - top)
            whole += share
            slope += give[i] * share
        step = (top + np.log(whole)) * whole / slope
        delta += step
        if abs(step) <= _CLOSE * (1.0 + delta):
            break
    return delta


_divide_jit = numba.njit(error_model="numpy")(_divide)


def _whiten(
    root: Floats, given: Floats, coordinates: Floats, ends_at: Floats, soft: Floats, ends: Ints, before: Ints
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats, float]:
    """Residuals and what they are in units of the law.

    Parameters
    ----------
    root : (G, G)
    given : (G,)
        Residuals of the single counts, then the logs of what the cells of totals hold by themselves.
    coordinates : (G2,)
        Of the cells of totals; those of the largest are used behind walls alone.
    ends_at : (E,)
        Logs of the totals, or of the walls they lie behind.
    soft : (E,)
        The w of each wall, 0 where the total is known.
    ends : (E,) int
        Behind the last cell of each, counted among the cells of totals.
    before : (G2,) int
        The same cell in an earlier total, -1 where there is none.

    Returns
    -------
    r, y : (G,)
    held : (G2,)
        Log of what each cell holds.
    give : (G2,)
        The a of each cell, 1 for the largest.
    totals, deltas : (E,)
    log_det : float
        Of the cells of totals by the coordinates of the smaller, and the totals.
    """
    size = root.shape[0]
    first = size - coordinates.shape[0]
    r, y = given.copy(), np.zeros(size)
    held, give = np.zeros(coordinates.shape[0]), np.ones(coordinates.shape[0])
    totals, deltas = ends_at.copy(), np.zeros(ends.shape[0])
    log_det = 0.0
    solve_rows(root, r, y, 0, first)
    start = 0
    for e in range(totals.shape[0]):
        most, end = first + start, ends[e]
        own = root[most, most] ** 2
        # The largest, as if it held the total.
        middle = given[most]
        if before[start] >= 0:
            middle += held[before[start]]
        for j in range(most):
            middle += root[most, j] * y[j]
        if soft[e] > 0.0:
            v = (middle + root[most, most] * coordinates[start] - ends_at[e]) / soft[e]
            totals[e] = ends_at[e] + soft[e] * (max(v, 0.0) + np.log1p(np.exp(-abs(v))))
            log_det += np.log(root[most, most]) - max(-v, 0.0) - np.log1p(np.exp(-abs(v)))
        y[most] = (totals[e] - middle) / root[most, most]
        for c in range(start + 1, end):
            i = first + c
            rest = root[i, i] * coordinates[c]
            for j in range(most + 1):
                rest += root[i, j] * y[j]
            for d in range(start + 1, c):
                rest += root[i, first + d] * coordinates[d]
            r[i] = rest
            held[c] = rest + given[i]
            if before[c] >= 0:
                held[c] += held[before[c]]
            give[c] = root[i, i] ** 2 / (root[i, i] ** 2 + own)
            log_det += np.log(root[i, i])
        delta = _divide_jit(held[start + 1 : end], give[start + 1 : end], totals[e])
        deltas[e] = delta
        held[start] = totals[e] - delta
        r[most] = held[start] - given[most]
        if before[start] >= 0:
            r[most] -= held[before[start]]
        q = np.exp(-delta)
        for c in range(start + 1, end):
            r[first + c] -= give[c] * delta
            held[c] -= give[c] * delta
            q += give[c] * np.exp(held[c] - totals[e])
        solve_rows(root, r, y, most, first + end)
        log_det -= np.log(q)
        start = end
    return r, y, held, give, totals, deltas, log_det


def _whiten_pullback(
    root: Floats, coordinates: Floats, ends_at: Floats, soft: Floats, ends: Ints, before: Ints, y: Floats,
    held: Floats, give: Floats, totals: Floats, deltas: Floats, g_r: Floats, g_y: Floats,
    g_log_det: float, g_root: Floats,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Cotangents of given, coordinates and ends from those of r, y and log_det; adds to that of the factor.

    ``g_r`` and ``g_y`` are overwritten.
    """
    size = root.shape[0]
    first = size - coordinates.shape[0]
    to_given, to_coordinates = np.zeros(size), np.zeros(coordinates.shape[0])
    to_totals, to_held = np.zeros(totals.shape[0]), np.zeros(coordinates.shape[0])
    for e in range(totals.shape[0] - 1, -1, -1):
        start, end, delta = ends[e - 1] if e > 0 else 0, ends[e], deltas[e]
        most = first + start
        solve_rows_pullback(root, y, g_r, g_y, g_root, most, first + end)
        # r of the largest = held - given - held before
        to_given[most] -= g_r[most]
        to_held[start] += g_r[most]
        if before[start] >= 0:
            to_held[before[start]] -= g_r[most]
        # The determinant: one over q.
        q, smaller = np.exp(-delta), 0.0
        for c in range(start + 1, end):
            share = np.exp(held[c] - totals[e])
            q += give[c] * share
            smaller += share
        to_q = -g_log_det / q
        to_held[start] += to_q * np.exp(-delta)
        to_totals[e] += to_held[start] - to_q * q
        to_delta = -to_held[start]
        for c in range(start + 1, end):
            to_held[c] += to_q * give[c] * np.exp(held[c] - totals[e])
            to_delta -= give[c] * (to_held[c] + g_r[first + c])
        to_totals[e] -= to_delta * smaller / q
        # The smaller cells, as they would be by themselves
        own = root[most, most]
        whole_y = y[most] + delta / own  # of the largest, as if it held the total
        to_whole = 0.0
        for c in range(end - 1, start, -1):
            i = first + c
            share = np.exp(held[c] - totals[e])
            to_give = to_q * share - delta * (to_held[c] + g_r[i] + to_delta * share / q)
            both = root[i, i] ** 2 + own**2
            g_root[i, i] += to_give * 2.0 * root[i, i] * own**2 / both**2 + g_log_det / root[i, i]
            g_root[most, most] -= to_give * 2.0 * own * root[i, i] ** 2 / both**2
            whole = to_held[c] + to_delta * share / q
            to_given[i] += whole
            if before[c] >= 0:
                to_held[before[c]] += whole
            g = g_r[i] + whole
            g_root[i, i] += g * coordinates[c]
            to_coordinates[c] += g * root[i, i]
            for j in range(most):
                g_root[i, j] += g * y[j]
                g_y[j] += g * root[i, j]
            g_root[i, most] += g * whole_y
            to_whole += g * root[i, most]
            for d in range(start + 1, c):
                g_root[i, first + d] += g * coordinates[d]
                to_coordinates[d] += g * root[i, first + d]
        q = to_whole / own
        to_totals[e] += q
        to_middle = -q
        g_root[most, most] -= q * whole_y
        if soft[e] > 0.0:
            middle = totals[e] - own * whole_y
            v = (middle + own * coordinates[start] - ends_at[e]) / soft[e]
            beyond = np.exp(min(v, 0.0)) / (1.0 + np.exp(-abs(v)))
            to_v = to_totals[e] * beyond + g_log_det * (1.0 - beyond) / soft[e]
            to_totals[e] -= to_v
            to_middle += to_v
            to_coordinates[start] += to_v * own
            g_root[most, most] += to_v * coordinates[start] + g_log_det / own
        to_given[most] += to_middle
        if before[start] >= 0:
            to_held[before[start]] += to_middle
        for j in range(most):
            g_root[most, j] += to_middle * y[j]
            g_y[j] += to_middle * root[most, j]
    solve_rows_pullback(root, y, g_r, g_y, g_root, 0, first)
    to_given[:first] += g_r[:first]
    return to_given, to_coordinates, to_totals


whiten = numba.njit(error_model="numpy", fastmath=FAST)(_whiten)
whiten_pullback = numba.njit(error_model="numpy", fastmath=FAST)(_whiten_pullback)
