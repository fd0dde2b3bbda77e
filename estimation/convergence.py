"""R-hat and effective sample size, the worst of a set of quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Convergence:
    """Worst R-hat and effective sample size of a set of quantities, and which they are."""

    rhat: float
    rhat_at: str
    ess: float
    ess_at: str
    quantities: int


def convergence(values: Floats, names: list[str]) -> Convergence:
    """R-hat and bulk effective sample size, the worst of them.

    Parameters
    ----------
    values : (chains, draws, Q)
    names : list of str
        Q names. Quantities that never vary are left out: they were counted, not sampled.
    """
    varies = values.reshape(-1, values.shape[2]).std(axis=0) > 1e-12
    values, kept = values[:, :, varies], [name for name, v in zip(names, varies, strict=True) if v]
    if not kept:
        return Convergence(1.0, "", float(values.shape[0] * values.shape[1]), "", 0)
    rhat = np.array([array_stats.rhat(values[:, :, q]) for q in range(len(kept))]).ravel()
    ess = np.array([array_stats.ess(values[:, :, q]) for q in range(len(kept))]).ravel()
    high, low = int(rhat.argmax()), int(ess.argmin())
    return Convergence(float(rhat[high]), kept[high], float(ess[low]), kept[low], len(kept))


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
    return convergence(np.concatenate(columns, axis=2), names)
