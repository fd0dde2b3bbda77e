"""Blocks of cells that share sums, and linear programs for those whose sums do not have the same cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from ..models.contract import Floats, Ints
from ..models.links import sharing

Sum = tuple[int, Ints, float, float]  # stage, cells, least, greatest
NOTHING, HARD = -1, -2
_SLACK = 1e-6


@dataclass(frozen=True)
class Block:
    """Cells tied together by sums.

    Parameters
    ----------
    cells : (m,) int
    sums : tuple of Sum
    """

    cells: Ints
    sums: tuple[Sum, ...]

    @cached_property
    def _even(self) -> bool:
        """Do all sums have the same cells?"""
        return all(len(cells) == len(self.cells) for _, cells, _, _ in self.sums)

    def left(self, source: int, target: int) -> int:
        """What the sums say beside those of two stages.

        Returns
        -------
        int
            ``NOTHING``; the one stage whose sums bear on the outcomes too, where the denominators are known; or
            ``HARD``, where only a program tells.
        """
        stages = {stage for stage, _, _, _ in self.sums}
        others = stages - {source, target}
        if not self._even:
            return HARD
        if not others:
            return NOTHING
        return others.pop() if len(stages | {target}) == 2 else HARD

    def range(self, stage: int) -> tuple[float, float]:
        """What sums over all of its cells say of a stage."""
        ends = [
            (low, high) for at, cells, low, high in self.sums if at == stage and len(cells) == len(self.cells)
        ]
        return max((low for low, _ in ends), default=0.0), min((high for _, high in ends), default=np.inf)


def blocks_of(sums: Sequence[Sum]) -> list[Block]:
    """The blocks that sums over several cells make."""
    several = [each for each in sums if len(each[1]) > 1]
    out = []
    for part in sharing([cells for _, cells, _, _ in several]):
        mine = tuple(several[i] for i in part)
        out.append(Block(np.unique(np.concatenate([cells for _, cells, _, _ in mine])), mine))
    return out


class Program:
    """The counts of a block at every stage as a linear program, asked for sums of some of them.

    Parameters
    ----------
    block : Block
    low, high : (stages, m) float
        Least and greatest count of each of its cells.
    limit : (stages, stages) float
        Most outcomes of a unit.
    """

    def __init__(self, block: Block, low: Floats, high: Floats, limit: Floats) -> None:
        self._low, self._high = low, high
        stages, cells = low.shape
        rows: list[tuple[Ints, Floats, float, float]] = []
        for stage, inside, least, most in block.sums:
            at = stage * cells + np.searchsorted(block.cells, inside)
            rows.append((at, np.ones(len(at)), least, most))
        for a in range(stages):
            for b in range(a + 1, stages):
                if not np.isfinite(limit[a, b]):
                    continue
                # Boxes say it where one of the two counts is known.
                for k in np.flatnonzero((low[a] < high[a]) & (low[b] < high[b])).tolist():
                    pair = np.array([a * cells + k, b * cells + k])
                    rows.append((pair, np.array([limit[a, b], -1.0]), 0.0, np.inf))
        place = np.repeat(np.arange(len(rows)), [len(at) for at, _, _, _ in rows])
        matrix = sp.csr_matrix(
            (
                np.concatenate([w for _, w, _, _ in rows]),
                (place, np.concatenate([at for at, _, _, _ in rows])),
            ),
            shape=(len(rows), stages * cells),
        )
        low_end, high_end = (np.array([row[end] for row in rows], dtype=float) for end in (2, 3))
        same = low_end == high_end
        self._equal = (matrix[same], low_end[same]) if same.any() else (None, None)
        up, down = np.isfinite(high_end) & ~same, np.isfinite(low_end) & ~same
        self._below = (
            (sp.vstack([matrix[up], -matrix[down]]).tocsr(), np.r_[high_end[up], -low_end[down]])
            if (up | down).any()
            else (None, None)
        )
        self._found: dict[bytes, tuple[float, float]] = {}

    def ends(self, weight: Floats, whole: bool) -> tuple[float, float]:
        """Least and greatest Σ weight · count, weight (stages, m); rounded inwards where it must be a whole number."""
        key = weight.tobytes()
        if key not in self._found:
            self._found[key] = self._end(weight, 1.0, whole), self._end(weight, -1.0, whole)
        return self._found[key]

    def _end(self, weight: Floats, sign: float, whole: bool) -> float:
        bounds = np.column_stack([self._low.ravel(), self._high.ravel()])
        found = linprog(sign * weight.ravel(), *self._below, *self._equal, bounds, method="highs")
        if found.x is None:
            # Without a limit, or of statements that the model did not use and that contradict each other.
            return -sign * np.inf
        value = sign * found.fun
        if not whole:
            return float(value)
        return float(np.ceil(value - _SLACK) if sign > 0 else np.floor(value + _SLACK))
