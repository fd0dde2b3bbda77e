"""Importance weights of a scenario over draws of the plan's own run, and whether they may be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray

from ..engines.choose import KHAT

Floats = NDArray[np.float64]
LEAST: Final = 400.0
_FEWEST: Final = 25  # draws whose upper fifth is a tail that a shape can be fitted to


@dataclass(frozen=True)
class Weights:
    """Pareto-smoothed importance weights (Vehtari et al. 2024).

    Parameters
    ----------
    weight : (R,)
        Sums to one.
    khat : float
        Shape of their tail.
    ess : float
        Effective draws that they leave: Kish's size, less what the draws' own dependence takes.
    """

    weight: Floats
    khat: float
    ess: float

    @property
    def limit(self) -> float:
        """The k-hat below which so many draws allow the weights to be used."""
        return float(min(1 - 1 / np.log10(len(self.weight)), KHAT))

    @property
    def fault(self) -> str:
        """Why they may not be used; empty where they may."""
        if not self.khat < self.limit:
            return f"the k-hat of the weights is {self.khat:.2f}, not below {self.limit:.2f}"
        if self.ess < LEAST:
            return f"the weights leave {self.ess:.0f} effective draws, fewer than {LEAST:.0f}"
        return ""

    def resampled(
        self, rng: np.random.Generator, among: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """As many draws as there are, equally weighted, by systematic resampling; all of them or some."""
        weight = self.weight if among is None else self.weight[among]
        steps = (np.arange(len(weight)) + rng.uniform()) / len(weight)
        found = np.searchsorted(np.cumsum(weight) / weight.sum(), steps)
        return np.minimum(found, len(weight) - 1)


def weigh(log_ratio: Floats, effective: float) -> Weights:
    """Weights from log ratios of the new to the old posterior density.

    Parameters
    ----------
    log_ratio : (R,)
    effective : float
        Effective draws behind the R, at least.
    """
    size = len(log_ratio)
    share = min(effective / size, 1.0)
    if np.ptp(log_ratio) < 1e-9:
        return Weights(np.full(size, 1 / size), 0.0, share * size)
    if size < _FEWEST:
        return Weights(np.full(size, 1 / size), np.inf, 0.0)
    # It weighs by the inverse of what it is given.
    smoothed, khat = array_stats.psislw(-log_ratio, r_eff=share)
    weight = np.exp(smoothed - smoothed.max())
    weight /= weight.sum()
    return Weights(weight, float(khat), float(share / (weight**2).sum()))
