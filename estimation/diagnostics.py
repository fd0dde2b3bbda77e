"""Convergence diagnostics of hyperparameters, published aggregates and cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from .engines.contract import Fit

Floats = NDArray[np.float64]
_MOST_CELLS = 2000


@dataclass(frozen=True)
class Convergence:
    """Worst R-hat and effective sample size of a set of quantities, and which they are."""

    rhat: float
    rhat_at: str
    ess: float
    ess_at: str
    quantities: int


@dataclass(frozen=True)
class Diagnostics:
    """What the sampler's own output says of it."""

    hyper: Convergence
    aggregates: Convergence
    cells: Convergence
    divergences: int
    ebfmi: float

    def summary(self) -> dict[str, float | int]:
        """The figures of the manifest."""
        return {
            "rhat_max": max(self.hyper.rhat, self.aggregates.rhat),
            "ess_min": min(self.hyper.ess, self.aggregates.ess),
            "rhat_max_cells": self.cells.rhat,
            "ess_min_cells": self.cells.ess,
            "divergences": self.divergences,
            "ebfmi_min": self.ebfmi,
        }


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


def hyper_convergence(fit: Fit) -> Convergence:
    """Of every hyperparameter."""
    columns, names = [], []
    for name in fit.posterior.data_vars:
        values = fit.posterior[name]
        if str(name).startswith("effect_"):
            continue
        flat = values.to_numpy().reshape(*values.shape[:2], -1)
        columns.append(flat)
        labels = list(values.coords["step"].to_numpy()) if "step" in values.dims else [""]
        names += [f"{name}[{label}]" if label else str(name) for label in labels]
    return convergence(np.concatenate(columns, axis=2), names)


def diagnose(fit: Fit, aggregates: Floats, aggregate_ids: list[str], cells: Floats) -> Diagnostics:
    """Diagnostics of a fit.

    Parameters
    ----------
    fit : Fit
    aggregates : (R, Q)
        Draws of the published aggregates, chain-major.
    aggregate_ids : list of str
    cells : (R, S·A)
        Draws of cell rates; at most 2,000 of them, evenly spaced, are looked at.
    """
    pick = np.unique(np.linspace(0, cells.shape[1] - 1, min(cells.shape[1], _MOST_CELLS)).astype(int))
    some = cells[:, pick].reshape(fit.chains, -1, len(pick))
    energy = fit.sample_stats["energy"].to_numpy()
    return Diagnostics(
        hyper=hyper_convergence(fit),
        aggregates=convergence(aggregates.reshape(fit.chains, -1, aggregates.shape[1]), aggregate_ids),
        cells=convergence(some, [f"cell {number}" for number in pick]),
        divergences=int(fit.sample_stats["diverging"].sum()),
        ebfmi=float(np.min(array_stats.bfmi(energy))),
    )
