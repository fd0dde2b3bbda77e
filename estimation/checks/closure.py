"""Do the parts add up to what was recorded?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from ...models.contract import Group
from ...models.layout import Layout
from ..completion import completed
from ..rows import Bools, Floats
from ..thinning import parts
from .contract import Check, Result, Seen, gate


class Closure(Check):
    """Every draw of the complete counts reproduces every hard report of the funnel's own cases exactly."""

    name: ClassVar[str] = "closure"
    order: ClassVar[int] = 30
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """No report may be missed in any draw."""
        groups = [group for group in seen.blueprint.analysis.groups if completed(seen.blueprint, group)]
        reports = sum(len(group.stages) for group in groups)
        # Counts that are all known are one draw, seen many times.
        counts = seen.counts[:1] if seen.counts.strides[0] == 0 else seen.counts
        missed = int(_missed(groups, counts, seen.blueprint.layout).sum()) if reports else 0
        words = (
            f"All {reports:,} hard reports are reproduced exactly by every draw of the complete counts."
            if not missed
            else f"{missed:,} of {reports:,} hard reports are missed by some draw of the complete counts."
        )
        return [gate(self.name, missed, 0, missed == 0, words)]


def _missed(groups: Sequence[Group], counts: Floats, layout: Layout) -> Bools:
    """Which reports some draw of the counts (R, S + 1, A) does not reproduce, group by group, stage by stage."""
    cells, stages, ends, sizes = [], [], [], []
    for group in groups:
        for at, own in zip(group.stages, group.sets, strict=True):
            inside = np.flatnonzero(np.isin(group.cells, own)) if len(group.cells) > 1 else np.array([0])
            cells.append(group.cells[inside])
            ends.append(group.end[inside])
            stages.append(np.full(len(inside), at))
            sizes.append(len(inside))
    cell, stage, end = layout.positions[np.concatenate(cells)], np.concatenate(stages), np.concatenate(ends)
    report = np.repeat(np.arange(len(sizes)), sizes)
    sums = sp.csr_matrix((np.ones(len(report)), (report, np.arange(len(report)))), (len(sizes), len(report)))
    low, high = (np.concatenate([getattr(g, name) for g in groups])[:, None] for name in ("low", "high"))
    missed = np.zeros(len(sizes), dtype=bool)
    for part in parts(len(counts), counts[0].size):
        some = counts[part]
        # `low` and `high` are what is left after the counts known at the later stage.
        here = some[:, stage, cell] - np.where(end >= 0, some[:, np.maximum(end, 0), cell], 0.0)
        total = sums @ here.T
        missed |= ((total < low - 1e-9) | (total > high + 1e-9)).any(axis=1)
    return missed
