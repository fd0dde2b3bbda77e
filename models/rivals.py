"""Exact counts of the same cells: whether they agree, which one is kept, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..data.panel import Panel
from .clashes import rows
from .readings import Total


class Rivals:
    """Counts of the same cells, each of one statement.

    Parameters
    ----------
    panel : Panel
    same : sequence of Total
        In reading order.
    loose : mapping of str to (float, float)
        How far below and above its count the statement itself allows, where the count stands for a range.

    Attributes
    ----------
    winners : list of Total
        The preferred ones, else all: only they must agree.
    kept : Total
        The narrowest of them.
    """

    def __init__(self, panel: Panel, same: Sequence[Total], loose: Mapping[str, tuple[float, float]]) -> None:
        self._panel = panel
        self._loose = loose
        self._same = same
        self.winners = [total for total in same if self._preferred(total)] or list(same)
        self.kept = min(self.winners, key=lambda total: float(np.ptp(self._ends(total))))

    @property
    def agree(self) -> bool:
        """Is there a count that all winners allow?"""
        return self._compatible(self.winners)

    @property
    def found(self) -> str:
        """What the winners say, and where."""
        return " and ".join(f"{self._said(t)} ({rows(self._panel, t.ids)})" for t in self.winners)

    def dropped(self) -> list[tuple[Total, str]]:
        """All but the one that is kept, with the reason."""
        return [(total, self._why(total)) for total in self._same if total is not self.kept]

    def _why(self, total: Total) -> str:
        where, preferred = rows(self._panel, self.kept.ids), self._preferred(self.kept)
        if self._ends(total) == self._ends(self.kept):
            return f"repeats {where}"
        if not self._compatible((total, self.kept)):
            return f"contradicts {where}, which is preferred: {preferred}"
        if preferred and not self._preferred(total):
            return f"gives way to {where}, which is preferred: {preferred}"
        return f"gives way to {where}, which says it more narrowly"

    def _preferred(self, total: Total) -> str:
        return self._panel.by_id[total.ids[0]].preferred

    def _ends(self, total: Total) -> tuple[float, float]:
        below, above = self._loose.get(total.ids[0], (0.0, 0.0))
        return total.low - below, total.high + above

    def _compatible(self, totals: Sequence[Total]) -> bool:
        lows, highs = zip(*map(self._ends, totals), strict=True)
        return bool(max(lows) <= min(highs))

    def _said(self, total: Total) -> str:
        low, high = self._ends(total)
        return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"
