"""R-hat and effective sample size, the worst of a set of quantities.

Rank-normalised split R-hat and bulk effective sample size (Vehtari et al. 2021), the definitions of ArviZ, for many
quantities at once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

from .aside import Aside

Floats = NDArray[np.float64]
# Quantities looked at together: few enough to stay in the processor's cache.
_TOGETHER = 32


@dataclass(frozen=True)
class Convergence:
    """Worst R-hat and effective sample size of a set of quantities, and which they are."""

    rhat: float
    rhat_at: str
    ess: float
    ess_at: str
    quantities: int


def convergence(values: Aside | NDArray[np.floating[Any]], names: list[str], chains: int) -> Convergence:
    """R-hat and bulk effective sample size, the worst of them.

    Parameters
    ----------
    values : (R, Q)
        Chain after chain.
    names : list of str
        Q names. Quantities that never vary are left out: they were counted, not sampled.
    """
    kept: list[str] = []
    parts = []
    for start in range(0, len(names), _TOGETHER):
        some = values[:, start : start + _TOGETHER].astype(float)
        some = some.reshape(chains, -1, some.shape[1])
        varies = some.reshape(-1, some.shape[2]).std(axis=0) > 1e-12
        if varies.any():
            parts.append(rhat_and_ess(some[:, :, varies]))
            kept += itertools.compress(names[start : start + _TOGETHER], varies)
    if not kept:
        return Convergence(1.0, "", float(len(values)), "", 0)
    rhat, ess = np.concatenate(parts, axis=1)
    high, low = int(rhat.argmax()), int(ess.argmin())
    return Convergence(float(rhat[high]), kept[high], float(ess[low]), kept[low], len(kept))


def rhat_and_ess(values: Floats) -> tuple[Floats, Floats]:
    """R-hat and bulk effective sample size of each quantity.

    Parameters
    ----------
    values : (chains, draws, Q)
        At least four draws of quantities that vary.

    Returns
    -------
    rhat, ess : (Q,)
    """
    half = values.shape[1] // 2
    split = np.concatenate([values[:, :half], values[:, -half:]]).transpose(2, 0, 1)
    split = np.ascontiguousarray(split, dtype=float)
    folded = np.abs(split - np.median(split, axis=(1, 2), keepdims=True))
    bulk = _normal_scores(split)
    return np.maximum(_rhat(bulk), _rhat(_normal_scores(folded))), _ess(bulk)


def _normal_scores(values: Floats) -> Floats:
    """Normal quantiles of the ranks within each quantity, ties at their mean rank; (Q, chains, draws)."""
    flat = values.reshape(len(values), -1)
    size = flat.shape[1]
    # Every rank is a whole or half number between 1 and the size: the quantiles of all of them are few.
    scores = ndtri((np.arange(2 * size - 1) / 2 + 1 - 3 / 8) / (size + 1 / 4))
    out = np.empty_like(flat)
    for row, scored in zip(flat, out, strict=True):
        order = np.argsort(row)
        ordered = row[order]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        last = np.append(first[1:], size) - 1
        scored[order] = np.repeat(scores[first + last], last - first + 1)
    return out.reshape(values.shape)


def _rhat(values: Floats) -> Floats:
    """Potential scale reduction of (Q, chains, draws), (Q,)."""
    size = values.shape[2]
    between = size * values.mean(axis=2).var(axis=1, ddof=1)
    within = values.var(axis=2, ddof=1).mean(axis=1)
    return np.sqrt((between / within + size - 1) / size)


def _ess(values: Floats) -> Floats:
    """Effective sample size of (Q, chains, draws), (Q,); by Geyer's initial monotone sequence (1992)."""
    chains, size = values.shape[1:]
    means = values.mean(axis=2, keepdims=True)
    length = next_fast_len(2 * size, real=True)
    power = np.abs(rfft(values - means, n=length, axis=2)) ** 2
    covariance = irfft(power.mean(axis=1), n=length, axis=1)[:, :size] / size
    within = covariance[:, :1] * size / (size - 1)
    whole = covariance[:, :1] + means[..., 0].var(axis=1, ddof=1)[:, None]
    rho = 1 - (within - covariance) / whole
    rho[:, 0] = 1.0
    # Sums of neighbours fall to zero in truth: taken up to the first that is not positive, and never rising.
    pairs = rho[:, 0::2][:, : size // 2] + rho[:, 1::2]
    most = max((size - 3) // 2, 0)
    ended = pairs[:, : most + 1] <= 0
    ended[:, most] = True
    end = ended.argmax(axis=1)
    before = np.arange(pairs.shape[1]) < end[:, None]
    held = np.where(before, np.minimum.accumulate(pairs, axis=1), 0.0).sum(axis=1)
    rows = np.arange(len(rho))
    next_ = rho[rows, 2 * end]
    next_ = np.where(pairs[rows, end] < 0, np.maximum(next_, 0.0), next_)
    total = chains * size
    return total / np.maximum(2 * held + next_ - 1, 1 / np.log10(total))


def hyper_convergence(posterior: xr.Dataset) -> Convergence:
    """Of every hyperparameter."""
    columns, names = [], []
    for name in posterior.data_vars:
        values = posterior[name]
        if str(name).startswith("effect_"):
            continue
        flat = values.to_numpy().reshape(*values.shape[:2], -1)
        columns.append(flat)
        labels = list(values.coords["step"].to_numpy()) if "step" in values.dims else [""]
        names += [f"{name}[{label}]" if label else str(name) for label in labels]
    stacked = np.concatenate(columns, axis=2)
    return convergence(stacked.reshape(-1, len(names)), names, len(stacked))
