"""Convergence diagnostics of hyperparameters, published aggregates and cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from .convergence import Convergence, convergence, hyper_convergence
from .engines.contract import Fit

Floats = NDArray[np.float64]
_MOST_CELLS = 2000


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
    readable = [name.replace("|", ", ") for name in aggregate_ids]
    energy = fit.sample_stats["energy"].to_numpy()
    return Diagnostics(
        hyper=hyper_convergence(fit.posterior),
        aggregates=convergence(aggregates.reshape(fit.chains, -1, aggregates.shape[1]), readable),
        cells=convergence(some, [f"cell {number}" for number in pick]),
        divergences=int(fit.sample_stats["diverging"].sum()),
        ebfmi=float(np.min(array_stats.bfmi(energy))),
    )
