"""Are totals that cross still near enough to normal at the rates that were found?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from ...models.crossing import LEAST_SD
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
        found = seen.moments.given_others
        crossed = (
            np.flatnonzero(np.isfinite(found).all(axis=0)) if found.size else np.zeros(0, dtype=np.int64)
        )
        if not len(crossed):
            return [Result(self.name, "informational", None, LEAST_SD, "No totals cross.")]
        low = np.quantile(found[:, crossed], _SHARE, axis=0)
        few = crossed[low <= LEAST_SD]
        least = float(low.min())
        if not len(few):
            words = (
                f"Each of {len(crossed):,} totals that cross varies by {least:.1f} or more given the others, "
                "enough for their normal density."
            )
            return [Result(self.name, "passed", least, LEAST_SD, words)]
        words = (
            f"{len(few):,} of {len(crossed):,} totals that cross vary by as little as {least:.1f} given the others: at "
            "these rates their normal density is rough. Leave some of them out, or sum over longer periods."
        )
        reports = [seen.reports[i] for i in few]
        places = tuple(
            {"stage": r.stage, "offense": r.offense, "jurisdiction": r.jurisdiction, "period": r.period}
            for r in reports
        )
        return [Result(self.name, "failed", least, LEAST_SD, words, places)]
