"""Do the parts add up to what was recorded?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ..completion import completed
from .contract import Check, Result, Seen, gate


class Closure(Check):
    """Every draw of the complete counts reproduces every hard report of the funnel's own cases exactly."""

    name: ClassVar[str] = "closure"
    order: ClassVar[int] = 30
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """No report may be missed in any draw."""
        analysis, layout = seen.blueprint.analysis, seen.blueprint.layout
        missed = 0
        groups = [group for group in analysis.groups if completed(seen.blueprint, group)]
        for group in groups:
            columns = layout.positions[group.cells]
            # `low` and `high` are what is left after the counts known at the later stage.
            at_end = np.where(group.end >= 0, seen.counts[:, np.maximum(group.end, 0), columns], 0.0)
            for place, (stage, cells) in enumerate(zip(group.stages, group.sets, strict=True)):
                inside = np.isin(group.cells, cells)
                total = (seen.counts[:, stage, columns] - at_end)[:, inside].sum(axis=1)
                missed += int(((total < group.low[place] - 1e-9) | (total > group.high[place] + 1e-9)).any())
        reports = sum(len(group.stages) for group in groups)
        words = (
            f"All {reports:,} hard reports are reproduced exactly by every draw of the complete counts."
            if not missed
            else f"{missed:,} of {reports:,} hard reports are missed by some draw of the complete counts."
        )
        return [gate(self.name, missed, 0, missed == 0, words)]
