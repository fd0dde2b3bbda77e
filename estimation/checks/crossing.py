"""Are totals that cross still near enough to normal at the rates that were found?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from ...models.crossing import LEAST_SD
from ..predictive import Report
from .contract import Check, Result, Seen

_SHARE: Final = 0.05


class CrossingTotals(Check):
    """Every total that crosses others still varies enough, given them, for the normal density that was used.

    The plan was bound on rates that the totals themselves imply; here are those of the draws.
    """

    name: ClassVar[str] = "crossing"
    order: ClassVar[int] = 32
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """In 95 % of the draws every standard deviation given the others exceeds 3."""
        crossed: list[Report] = []
        ends = [np.zeros(0)]
        for part in seen.predicted:
            if part.moments.crossed:
                found = part.moments.given_others
                at = np.flatnonzero(np.isfinite(found).all(axis=0))
                crossed += [part.shown[i] for i in at]
                ends.append(np.quantile(found[:, at], _SHARE, axis=0))
        if not crossed:
            return [Result(self.name, "informational", None, LEAST_SD, "No totals cross.")]
        low = np.concatenate(ends)
        reports = [report for report, sd in zip(crossed, low, strict=True) if sd <= LEAST_SD]
        least = float(low.min())
        if not reports:
            words = (
                f"Each of {len(crossed):,} totals that cross varies by {least:.1f} or more given the others, "
                "enough for their normal density."
            )
            return [Result(self.name, "passed", least, LEAST_SD, words)]
        words = (
            f"{len(reports):,} of {len(crossed):,} totals that cross vary by as little as {least:.1f} given the "
            "others: at these rates their normal density is rough. Leave some of them out, or sum over longer periods."
        )
        places = tuple(
            {"stage": r.stage, "offense": r.offense, "jurisdiction": r.jurisdiction, "period": r.period}
            for r in reports
        )
        return [Result(self.name, "failed", least, LEAST_SD, words, places)]
