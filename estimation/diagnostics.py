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
        Where draws come from weighted points of the scales, each chain has points of its own: R-hat and effective
        draws then measure the points' Monte-Carlo error.
    chain : Chain or None
        None where no Markov chain was run.
    khat : float or None
        Of the points' weights, where there are any.
    """

    hyper: Convergence
    aggregates: Convergence
    cells: Convergence
    chain: Chain | None
    khat: float | None

    @property
    def gated(self) -> tuple[Convergence, ...]:
        """What must converge; weighted points of the scales are few by design, and k-hat judges them."""
        return (self.hyper, self.aggregates) if self.khat is None else (self.aggregates,)

    @property
    def counted(self) -> tuple[str, ...]:
        """How many quantities that is, in words."""
        words = (
            f"{self.hyper.quantities} hyperparameters",
            f"{self.aggregates.quantities} published aggregates",
        )
        return words if self.khat is None else words[1:]

    def summary(self) -> dict[str, float | int]:
        """The figures of the manifest."""
        out: dict[str, float | int] = {
            "rhat_max": max(one.rhat for one in self.gated),
            "ess_min": min(one.ess for one in self.gated),
            "rhat_max_cells": self.cells.rhat,
            "ess_min_cells": self.cells.ess,
        }
        if self.chain is not None:
            out |= {"divergences": self.chain.divergences, "ebfmi_min": self.chain.ebfmi}
        if self.khat is not None:
            out["khat"] = self.khat
        return out


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
    stats = fit.sample_stats
    chain = None
    if fit.khat is None:
        energy = float(np.min(array_stats.bfmi(stats["energy"].to_numpy())))
        chain = Chain(int(stats["diverging"].sum()), energy)
    return Diagnostics(
        hyper=hyper_convergence(fit.posterior),
        aggregates=convergence(aggregates.reshape(fit.chains, -1, aggregates.shape[1]), readable),
        cells=convergence(some, [f"cell {number}" for number in pick]),
        chain=chain,
        khat=fit.khat,
    )
