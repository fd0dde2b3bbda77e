"""Would the model have produced data like these?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
from scipy.stats import binom

from ..predicted import Part
from ..rows import Reals
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
        summed = [_Summed(*one) for one in _STATISTICS]
        for part in seen.predicted:
            for one in summed:
                one.add(part)
        if not summed[0].drawn:
            words = "No exact report to compare with its replicates."
            return [Result("ppc_dispersion", "informational", None, None, words)]
        return [one.judged() for one in summed]


def _dispersion(y: Floats, mean: Reals, variance: Reals) -> Floats:
    return ((y - mean) ** 2 / np.maximum(variance, 1e-9)).sum(axis=1, dtype=np.float64)


def _zeros(y: Floats, mean: Reals, variance: Reals) -> Floats:
    return np.broadcast_to((y == 0).sum(axis=1).astype(float), len(mean))


def _totals(y: Floats, mean: Reals, variance: Reals) -> Floats:
    return np.broadcast_to(y.sum(axis=1), len(mean))


_STATISTICS: Final = (
    ("ppc_dispersion", "dispersion", "jurisdiction", _dispersion),
    ("ppc_zeros", "share of zeros", "offense", _zeros),
    ("ppc_totals", "total", "period", _totals),
)


class _Summed:
    """A statistic of groups of exact reports and of their replicates: a sum over the reports under each draw.

    Parameters
    ----------
    name, words : str
        Of the verdict and of the statistic.
    by : str
        What the reports of one stage are grouped by.
    statistic : callable
        Of counts, means and variances, the sum over their columns.
    """

    def __init__(
        self, name: str, words: str, by: str, statistic: Callable[[Floats, Reals, Reals], Floats]
    ) -> None:
        self._name, self._words, self._by, self._statistic = name, words, by, statistic
        self.drawn: dict[tuple[str, str], Floats] = {}
        self._real: dict[tuple[str, str], Floats] = {}

    def add(self, part: Part) -> None:
        """More reports."""
        shown, moments = part.shown, part.moments
        # A published rate is no count; whether it surprises the others says `loo`.
        exact = np.array([r.low == r.high and r.centre is None for r in shown], dtype=bool)
        stages, labels = (
            np.array([getattr(r, of) for r in shown], dtype=object) for of in ("stage", self._by)
        )
        observed = np.array([r.low for r in shown])
        for stage in dict.fromkeys(stages[exact]):
            here = exact & (stages == stage)
            for label in dict.fromkeys(labels[here]):
                pick = np.flatnonzero(here & (labels == label))
                mean, variance = moments.mean[:, pick], moments.variance[:, pick]
                real = np.broadcast_to(observed[pick], mean.shape)
                for sums, y in ((self.drawn, moments.replicate[:, pick].astype(float)), (self._real, real)):
                    sums[stage, label] = sums.get((stage, label), 0.0) + self._statistic(y, mean, variance)

    def judged(self) -> Result:
        """The verdict over all groups."""
        probabilities: dict[str, float] = {}
        places: dict[str, dict[str, str]] = {}
        gross: list[str] = []
        for (stage, label), drawn in self.drawn.items():
            group, real = f"{label}, {stage}", self._real[stage, label]
            probabilities[group] = two_sided(drawn, real)
            places[group] = {self._by: str(label), "stage": str(stage)}
            if far_off(probabilities[group], drawn, real):
                gross.append(group)
        return judged(self._name, f"{self._words} by {self._by}", probabilities, places, gross)


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
