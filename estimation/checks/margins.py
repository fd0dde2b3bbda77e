"""Do sums over offenses depart from what their mix foretells?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from .contract import Check, Floats, Result, Seen
from .predictive import far_off, judged, two_sided

_LEAST: Final = 8  # sums of a stage below which no slope has a say
_SAME: Final = 1e-6  # standard deviation of a share below which the mix is the same everywhere


class Margins(Check):
    """Slope of the residuals of sums over offenses on each offense's share of their denominators.

    A residual is a sum less the mean of its replicates, in standard deviations of these; a replicate is a place of the
    same mix with new effects of its own, under rates of the offenses as they were learned. Where a rate is another in
    places of another mix (a contextual effect), the residuals go up or down with the share. Where a step is informed
    by sums alone the rates were read off that very slope, and the check has nothing to say.
    """

    name: ClassVar[str] = "ppc_mix"
    order: ClassVar[int] = 22
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """A two-sided predictive probability of at least 0.01 for each offense and stage."""
        held = seen.margins
        if held is None:
            words = "No exact sum over several offenses to hold against the mix of its denominators."
            return [Result(self.name, "informational", None, None, words)]
        stages = np.array([one.stage for one in held.reports], dtype=object)
        observed = np.array([one.low for one in held.reports])
        probabilities: dict[str, float] = {}
        places: dict[str, dict[str, str]] = {}
        gross: list[str] = []
        for stage in (one for one in dict.fromkeys(stages) if one in held.learned):
            pick = np.flatnonzero(stages == stage)
            if len(pick) < _LEAST:
                continue
            drawn = held.replicate[:, pick]
            middle, scale = drawn.mean(axis=0), np.maximum(drawn.std(axis=0), 1e-9)
            for number, offense in enumerate(held.offenses):
                share = held.mix[pick, number]
                if share.std() < _SAME:
                    continue
                real = _slope((observed[pick] - middle)[None] / scale, share)
                replicated = _slope((drawn - middle) / scale, share)
                group = f"{offense}, {stage}"
                probabilities[group] = two_sided(replicated, real)
                places[group] = {"offense": offense, "stage": str(stage)}
                if far_off(probabilities[group], replicated, real):
                    gross.append(group)
        if not probabilities:
            words = (
                f"{len(held.reports):,} sums over several offenses, too few of one stage, all of one mix, or the only "
                "word on their steps: the rates were then read off their mixes, and no departure could be seen."
            )
            return [Result(self.name, "informational", None, None, words)]
        words = "slope of sums over offenses on the share of each"
        return [judged(self.name, words, probabilities, places, gross)]


def _slope(residual: Floats, share: Floats) -> Floats:
    """Least-squares slopes (R,) of residuals (R, N) on a share (N,)."""
    away = share - share.mean()
    return residual @ away / (away @ away)
