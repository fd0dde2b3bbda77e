"""Would the model have produced data like these?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from scipy.stats import binom

from .contract import Check, Floats, Result, Seen

_LEVEL = 0.01
_GROSS = 8.0


class Predictive(Check):
    """Grouped posterior-predictive checks of exact counts: dispersion, zeros and totals.

    Each statistic is compared with its replicates group by group. The check fails when more groups have a two-sided
    predictive probability below 0.01 than chance would give in 99 of 100 cases, or when one of these typically lies
    eight standard deviations of its replicates away.
    """

    name: ClassVar[str] = "ppc"
    order: ClassVar[int] = 20
    gate: ClassVar[bool] = True
    verdicts: ClassVar[tuple[str, ...]] = ("ppc_dispersion", "ppc_zeros", "ppc_totals")

    def run(self, seen: Seen) -> list[Result]:
        """Dispersion by jurisdiction, zeros by offense, totals by period."""
        # A published rate is no count; whether it surprises the others says `loo`.
        exact = np.array([r.low == r.high and r.centre is None for r in seen.reports])
        if not exact.any():
            words = "No exact report to compare with its replicates."
            return [Result("ppc_dispersion", "informational", None, None, words)]
        return [
            _grouped(seen, exact, "ppc_dispersion", "jurisdiction", _dispersion, "dispersion"),
            _grouped(seen, exact, "ppc_zeros", "offense", _zeros, "share of zeros"),
            _grouped(seen, exact, "ppc_totals", "period", _totals, "total"),
        ]


def _dispersion(y: Floats, mean: Floats, variance: Floats) -> Floats:
    return ((y - mean) ** 2 / np.maximum(variance, 1e-9)).sum(axis=1)


def _zeros(y: Floats, mean: Floats, variance: Floats) -> Floats:
    return np.broadcast_to((y == 0).mean(axis=1), len(mean))


def _totals(y: Floats, mean: Floats, variance: Floats) -> Floats:
    return np.broadcast_to(y.sum(axis=1), len(mean))


def _grouped(
    seen: Seen,
    exact: np.ndarray,
    name: str,
    by: str,
    statistic: Callable[[Floats, Floats, Floats], Floats],
    words: str,
) -> Result:
    labels = np.array([getattr(r, by) for r in seen.reports], dtype=object)
    observed = np.array([r.low for r in seen.reports])
    probabilities: dict[str, float] = {}
    places: dict[str, dict[str, str]] = {}
    gross: list[str] = []
    stages = np.array([r.stage for r in seen.reports], dtype=object)
    for stage in dict.fromkeys(stages[exact]):
        for label in dict.fromkeys(labels[exact & (stages == stage)]):
            pick = np.flatnonzero(exact & (labels == label) & (stages == stage))
            mean, variance = seen.moments.mean[:, pick], seen.moments.variance[:, pick]
            drawn = statistic(seen.moments.replicate[:, pick].astype(np.float64), mean, variance)
            real = statistic(np.broadcast_to(observed[pick], mean.shape), mean, variance)
            probability = two_sided(drawn, real)
            probabilities[f"{label}, {stage}"] = probability
            places[f"{label}, {stage}"] = {by: str(label), "stage": str(stage)}
            if far_off(probability, drawn, real):
                gross.append(f"{label}, {stage}")
    return judged(name, f"{words} by {by}", probabilities, places, gross)


def two_sided(drawn: Floats, real: Floats) -> float:
    """Two-sided predictive probability of a statistic; ties count half, as zeros and totals are discrete."""
    above = (drawn > real).mean() + 0.5 * (drawn == real).mean()
    return float(2 * min(above, 1 - above))


def far_off(probability: float, drawn: Floats, real: Floats) -> bool:
    """Out of reach of the replicates, and typically eight of their standard deviations away.

    Typically: where a draw expects next to nothing, a squared residual over it has no bound.
    """
    far = np.median(np.abs(real - drawn)) > _GROSS * max(drawn.std(), 1e-9)
    return bool(probability < _LEVEL and far)


def judged(
    name: str,
    words: str,
    probabilities: Mapping[str, float],
    places: Mapping[str, Mapping[str, str]],
    gross: Sequence[str],
) -> Result:
    """One verdict over all groups: not more of them outside than chance would give in 99 of 100 cases, none far off.

    Parameters
    ----------
    name, words : str
        Of the verdict, and of the statistic.
    probabilities : mapping of str to float
        Of each group.
    places : mapping of str to mapping
        Where the published numbers of each group stand.
    gross : sequence of str
        Groups that are far off.
    """
    outside = [group for group, p in probabilities.items() if p < _LEVEL]
    allowed = float(binom.ppf(1 - _LEVEL, len(probabilities), _LEVEL))
    good = len(outside) <= allowed and not gross
    worst = (gross or sorted(probabilities, key=probabilities.__getitem__))[0]
    sentence = (
        f"The {words}: {len(outside)} of {len(probabilities)} groups have a predictive probability below "
        f"{_LEVEL:g} (up to {allowed:.0f} by chance); the least is {probabilities[worst]:.3f} ({worst})."
    )
    if gross:
        sentence += f" {len(gross)} of them lie eight standard deviations of their replicates away or more."
    touched = () if good else tuple(places[group] for group in outside)
    return Result(name, "passed" if good else "failed", float(len(outside)), allowed, sentence, touched)
