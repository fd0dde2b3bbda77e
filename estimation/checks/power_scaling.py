"""Do the prior and the counts each move the numbers of the first table?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from arviz_stats.base import array_stats

from .contract import Check, Floats, Result, Seen

_LEAST: Final = 0.05
_ALPHAS: Final = (0.99, 1.01)


class PowerScaling(Check):
    """Gradient of each number's law as the prior, or the likelihood, is raised to a power (Kallioinen et al. 2024).

    The law's distance is the cumulative Jensen-Shannon one. Of the prior that of locations, scales, dispersions and
    typical shares is raised, not that of the effects given their scales. A strong prior is no fault: labels and bounds
    stand beside a number that rests on it.
    """

    name: ClassVar[str] = "power_scaling"
    order: ClassVar[int] = 26
    gate: ClassVar[bool] = False

    def run(self, seen: Seen) -> list[Result]:
        """How many numbers each of the two moves."""
        told = seen.told
        if told is None:
            return []
        rows = told.held(told.rows("rate", "end_to_end"), "offense")
        drawn = [told.drawn(name) for name in rows["quantity_id"]]
        values = np.array([one for one in drawn if one is not None])
        if not len(values):
            return [
                Result(self.name, "informational", None, _LEAST, "No number of the first table is published.")
            ]
        prior = gradients(values, seen.log_prior)
        likelihood = gradients(values[:, seen.thin], seen.log_likelihood)
        words = (
            f"Raising the prior to a power moves {int((prior > _LEAST).sum())} of the {len(values)} numbers of the "
            f"first table (gradient above {_LEAST:g}; {prior.max():.2f} at most), raising the likelihood "
            f"{int((likelihood > _LEAST).sum())} ({likelihood.max():.2f})."
        )
        return [Result(self.name, "informational", float(prior.max()), _LEAST, words)]


def gradients(values: Floats, log_density: Floats) -> Floats:
    """Sensitivity of rows to a component of the posterior, (N,).

    Parameters
    ----------
    values : (N, R)
        Draws of the rows.
    log_density : (R,)
        Log density of the component at the same draws.
    """
    if np.ptp(log_density) == 0:
        return np.zeros(len(values))
    lower, upper = (_weights(log_density, alpha) for alpha in _ALPHAS)
    sense = array_stats.power_scale_sense
    return np.array([float(sense(row[None], lower, upper, _ALPHAS[0], _ALPHAS[1])) for row in values])


def _weights(log_density: Floats, alpha: float) -> Floats:
    """Weights of the draws when the component is raised to a power, one chain of them."""
    log_weight = array_stats.power_scale_lw(log_density, alpha=alpha)
    weight = np.exp(log_weight - log_weight.max())
    return weight[None] / weight.sum()
