"""Convergence diagnostics of hyperparameters, published aggregates and cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from .aside import Aside
from .convergence import Convergence, convergence, hyper_convergence
from .engines.contract import FULL, Aim, Fit, Weights
from .montecarlo import batch_errors, exchangeable

Reals = NDArray[np.floating[Any]]
_MOST_CELLS = 2000


@dataclass(frozen=True)
class Chain:
    """What a Markov chain says of itself.

    Parameters
    ----------
    divergences : int
    ebfmi : float
        Least energy fraction over chains.
    """

    divergences: int
    ebfmi: float


@dataclass(frozen=True)
class Diagnostics:
    """What an engine's own output says of it.

    Parameters
    ----------
    hyper, aggregates, cells : Convergence
    chain : Chain or None
        None where no Markov chain was run.
    weights : Weights or None
        Of the points of the scales that the draws come from, where there are any.
    error : float or None
        Then the largest Monte-Carlo error of a published aggregate, in posterior standard deviations, by batches.
    aim : Aim
        What all of this is held to.
    """

    hyper: Convergence
    aggregates: Convergence
    cells: Convergence
    chain: Chain | None
    weights: Weights | None
    error: float | None = None
    aim: Aim = FULL

    @property
    def gated(self) -> tuple[Convergence, ...]:
        """What must converge; weighted points of the scales are few by design, and k-hat judges them."""
        return (self.hyper, self.aggregates) if self.weights is None else (self.aggregates,)

    @property
    def counted(self) -> tuple[str, ...]:
        """How many quantities that is, in words."""
        words = (
            f"{self.hyper.quantities} hyperparameters",
            f"{self.aggregates.quantities} published aggregates",
        )
        return words if self.weights is None else words[1:]

    def summary(self) -> dict[str, float | int]:
        """The figures of the manifest."""
        out: dict[str, float | int] = {
            "ess_min": min(one.ess for one in self.gated),
            "ess_min_cells": self.cells.ess,
        }
        if self.chain is not None:
            out |= {"rhat_max": max(one.rhat for one in self.gated), "rhat_max_cells": self.cells.rhat}
            out |= {"divergences": self.chain.divergences, "ebfmi_min": self.chain.ebfmi}
        if self.weights is not None:
            out |= {"khat": self.weights.khat, "khat_blocks": self.weights.worst_block}
            out["effective_points_min"] = min(self.weights.effective)
        if self.error is not None:
            out["error_max"] = self.error
        return out


def diagnose(fit: Fit, aggregates: Aside | Reals, aggregate_ids: list[str], cells: Reals) -> Diagnostics:
    """Diagnostics of a fit.

    Parameters
    ----------
    fit : Fit
    aggregates : (R, Q)
        Draws of the published aggregates, chain-major.
    aggregate_ids : list of str
    cells : (R, S, A)
        Draws of cell rates; at most 2,000 of them, evenly spaced, are looked at.
    """
    count = cells[0].size
    pick = np.unique(np.linspace(0, count - 1, min(count, _MOST_CELLS)).astype(int))
    step, cell = np.unravel_index(pick, cells.shape[1:])
    some = cells[:, step, cell]
    readable = [name.replace("|", ", ") for name in aggregate_ids]
    numbered = [f"cell {number}" for number in pick]
    stats = fit.sample_stats
    if fit.weights is not None:
        scales = [value for name, value in fit.posterior.data_vars.items() if str(name).startswith("sd_")]
        points = stats["point"].to_numpy()
        log = (
            np.log(np.stack([value.to_numpy() for value in scales], axis=-1))
            if scales
            else np.zeros((*points.shape, 0))
        )
        log, points = (x.reshape(len(cells), *x.shape[2:]) for x in (log, points))
        worth = fit.weights.effective
        return Diagnostics(
            hyper=Convergence(1.0, "", min(worth), "", log[0].size),
            aggregates=exchangeable(aggregates, readable, log, worth),
            cells=exchangeable(some, numbered, log, worth),
            chain=None,
            weights=fit.weights,
            error=float(batch_errors(aggregates, points).max(initial=0.0)),
            aim=fit.aim,
        )
    energy = float(np.min(array_stats.bfmi(stats["energy"].to_numpy())))
    return Diagnostics(
        hyper=hyper_convergence(fit.posterior),
        aggregates=convergence(aggregates, readable, fit.chains),
        cells=convergence(some, numbered, fit.chains),
        chain=Chain(int(stats["diverging"].sum()), energy),
        weights=None,
        aim=fit.aim,
    )
