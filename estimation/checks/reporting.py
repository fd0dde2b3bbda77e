"""How much of the denominator reports at all?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..contraction import touched
from .contract import Check, Result, Seen


class Reporting(Check):
    """Share of the first stage's count in cells of which some later stage is known, by the last period."""

    name: ClassVar[str] = "reporting_share"
    order: ClassVar[int] = 40
    gate: ClassVar[bool] = False

    def run(self, seen: Seen) -> list[Result]:
        """At least 60 % before a change over all jurisdictions is published."""
        layout = seen.blueprint.layout
        first = np.nan_to_num(seen.blueprint.analysis.counts[0, layout.cells])
        heard = touched(seen.blueprint).any(axis=0)
        periods = layout.coordinates[2]
        last = periods >= periods.max() - 1
        shares = []
        for period in np.unique(periods[last]):
            here = periods == period
            shares.append((first * heard)[here].sum() / max(first[here].sum(), 1))
        share = float(min(shares))
        if len(seen.blueprint.panel.axes.period) < 2:
            words = f"Cells with some later count hold {share:.0%} of the first stage; there is no change to publish."
            return [Result(self.name, "informational", share, 0.6, words)]
        words = (
            f"In the last two periods cells with some later count hold at least {share:.0%} of the first stage"
            + ("." if share >= 0.6 else ": less than the 60 % a change over all jurisdictions asks for.")
        )
        return [Result(self.name, "passed" if share >= 0.6 else "failed", share, 0.6, words)]
