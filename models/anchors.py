"""Cell effects centred on what was counted.

Where a count fixes the rate of its path far more closely than the prior, the sum of all effects along the path is
known and each of them is not: a ridge that no scaling of single coordinates removes. The cell effect u of such a step
is then written u = κ ζ + log(y / n) - m, with m the rest of the path's predictor, y of n the count and κ its relative
error: the count speaks of ζ alone, and the other effects meet it through the prior of u, which is wide. This is full
centring in the mean (Papaspiliopoulos, Roberts and Sköld 2007) of the last effect before the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint
from .contract import Batch
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 1000.0  # counts from which the relative error is far below any spread between cells worth the name
MAIN = 0.6  # share of a total's units from which its largest cell can stand for it
WALL = 0.3  # how far beyond a bound a typical step of the coordinate leads, on the log scale
_ROUGH = np.sqrt(12.0)


@dataclass(frozen=True)
class Edge:
    """A total whose largest cell carries the anchor.

    Parameters
    ----------
    batch, row, column : int
        Group and cell.
    depth : int
        The anchored step is the last that leads to this stage spoken of.
    open : bool
        Known from below alone: the coordinate then runs along a wall, u = s log(1 + e^ζ) - 5 κ + log(y / n) - m.
    """

    batch: int
    row: int
    column: int
    depth: int
    open: bool


@dataclass(frozen=True)
class Anchors:
    """The cell effects that are centred on counts, G of them.

    Parameters
    ----------
    rows : mapping of batch number to (k,) int
        Groups of the batch, in order of the anchors.
    slot : (G,) int
        Position in the raveled linear predictor.
    step, unit : (G,) int
    target : (G,) float
        Log of the count per unit of its denominator.
    scale : (G,) float
        Relative error κ of the count.
    edges : tuple of Edge
        Totals that one cell dominates, or that are known from below alone; they stand behind the others.
    """

    rows: Mapping[int, Ints]
    slot: Ints
    step: Ints
    unit: Ints
    target: Floats
    scale: Floats
    edges: tuple[Edge, ...] = ()

    def __len__(self) -> int:
        return len(self.slot)


def cell_block(blueprint: Blueprint) -> Block | None:
    """The block of cell effects, if the plan has one."""
    return next((block for block in blueprint.blocks if block.cellwise), None)


def make_anchors(blueprint: Blueprint) -> Anchors:
    """Find the counts that fix the last step of their path: ratio steps, one cell, known closely."""
    rows: dict[int, list[int]] = {}
    found: list[tuple[int, int, int, float, float]] = []
    layout = blueprint.layout
    if cell_block(blueprint) is not None:
        # Parts of an unsplit total read its cells one by one, where an anchored effect does not stand.
        closed = {
            (step, int(layout.unit[layout.positions[group.part]]))
            for group in blueprint.analysis.groups
            if group.part >= 0
            for step in range(int(group.start[0]), group.stages[0])
        }
        inner: set[tuple[int, int]] = set()
        candidates = [
            (int((batch.segment[row, 0] == 0).sum()), number, row)
            for number, batch in enumerate(blueprint.batches)
            for row in range(len(batch.groups))
            if _fits(blueprint, batch, row)
        ]
        for _, number, row in sorted(candidates):
            batch = blueprint.batches[number]
            on = batch.segment[row, 0] == 0
            slots = batch.slots[row, 0, on].astype(np.int64)
            path = [(int(slot // layout.size), int(layout.unit[slot % layout.size])) for slot in slots]
            if path[-1] in closed | inner or any(place in closed for place in path[:-1]):
                continue
            closed.add(path[-1])
            inner.update(path[:-1])
            low, high = batch.low[row, 0], batch.high[row, 0]
            middle = (low + high) / 2
            error = np.hypot(np.sqrt(1.5 / middle), (high - low) / (_ROUGH * middle))
            target = float(np.log(middle / batch.n[row, 0]))
            rows.setdefault(number, []).append(row)
            found.append((number, int(slots[-1]), path[-1][1], target, float(error)))
        more = _edges(blueprint, closed, inner)
    else:
        more = []
    order = sorted(range(len(found)), key=lambda i: found[i][0])  # stable: by batch
    ordered = [found[i] for i in order] + [entry for _, entry in more]
    slot = np.array([one[1] for one in ordered], dtype=np.int64)
    return Anchors(
        rows={number: np.array(rows[number], dtype=np.int64) for number in sorted(rows)},
        slot=slot,
        step=slot // max(layout.size, 1),
        unit=np.array([one[2] for one in ordered], dtype=np.int64),
        target=np.array([one[3] for one in ordered], dtype=float),
        scale=np.array([one[4] for one in ordered], dtype=float),
        edges=tuple(edge for edge, _ in more),
    )


def _edges(
    blueprint: Blueprint, closed: set[tuple[int, int]], inner: set[tuple[int, int]]
) -> list[tuple[Edge, tuple[int, int, int, float, float]]]:
    """Large totals that single counts do not anchor: over several cells of which one dominates, or bounds."""
    layout = blueprint.layout
    out = []
    for number, batch in enumerate(blueprint.batches):
        for row in range(len(batch.groups)):
            n = batch.n[row]
            column = int(np.argmax(n))
            steps = batch.step[row, column][batch.segment[row, column] >= 0]
            fits = (
                batch.ratio
                and not batch.end
                and blueprint.analysis.groups[batch.groups[row]].part < 0
                and n[column] >= MAIN * n.sum()
                and all(blueprint.ratio_steps[step] for step in steps)
            )
            if not fits or _fits(blueprint, batch, row):
                continue
            for depth in range(batch.depth):
                low, high = float(batch.low[row, depth]), float(batch.high[row, depth])
                on = batch.segment[row, column] <= depth
                on &= batch.segment[row, column] >= 0
                slots = batch.slots[row, column, on].astype(np.int64)
                path = [(int(slot // layout.size), int(layout.unit[slot % layout.size])) for slot in slots]
                wall = np.isinf(high)
                if low < LEAST or (not wall and high > 1.3 * low) or path[-1] in closed | inner:
                    break
                closed.add(path[-1])
                middle = low if wall else (low + high) / 2
                error = float(np.sqrt(2 / middle))
                if not wall and int(batch.mask[row].sum()) > 1:
                    error = max(error, 0.03)  # the other cells of the total move it as well
                target = float(np.log(middle / n.sum()))
                edge = Edge(number, row, column, depth, bool(wall))
                out.append((edge, (number, int(slots[-1]), path[-1][1], target, error)))
    return out


def _fits(blueprint: Blueprint, batch: Batch, row: int) -> bool:
    """Does a group's count fix the last effect on its path?"""
    single = bool(batch.ratio) and batch.depth == 1 and not batch.end and int(batch.mask[row].sum()) == 1
    if not single or blueprint.analysis.groups[batch.groups[row]].part >= 0:
        return False
    low, high = float(batch.low[row, 0]), float(batch.high[row, 0])
    steps = batch.step[row, 0][batch.segment[row, 0] == 0]
    ratios = all(blueprint.ratio_steps[step] for step in steps)
    return ratios and low >= LEAST and np.isfinite(high) and high <= 1.3 * low
