"""Totals over several cells: the cell effect of the largest cell is centred on what the others leave.

Where a total fixes a sum of rates far more closely than the prior, it lies on a curved ridge: what one cell gains the
others lose. The cell effect u of the largest is then written u = κ ζ + log((y - Σ others) / n) - m, with m the rest of
its path's predictor, y the total and κ its relative error: the total speaks of ζ alone, and the other effects meet it
through the prior of u, which is wide. This is full centring in the mean (Papaspiliopoulos, Roberts and Sköld 2007) of
the last effect before the data. Counts of single cells, and bounds, need none: see ``sightings``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint
from .contract import Batch
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 30.0  # totals from which the relative error is below any spread between cells worth the name
MAIN = 0.6  # share of a total's units from which its largest cell can stand for it
RANGE = 1.3  # a range whose ends differ by this factor at most is known closely
ROUGH = np.sqrt(12.0)
_FACTOR = 2.0  # variance of a count over its mean, roughly
Place = tuple[int, int]  # step, unit


@dataclass(frozen=True)
class Edge:
    """A total whose largest cell carries the anchor.

    Parameters
    ----------
    batch, row, column : int
        Group and cell.
    depth : int
        The anchored step is the last that leads to this stage spoken of.
    """

    batch: int
    row: int
    column: int
    depth: int


@dataclass(frozen=True)
class Anchors:
    """The cell effects that are centred on totals, G of them.

    Parameters
    ----------
    edges : tuple of Edge
        In the order in which they are put in.
    step, unit : (G,) int
    target : (G,) float
        Log of the total.
    scale : (G,) float
        Its relative error κ.
    slot, of : (K,) int
        Positions in the raveled linear predictor, the parts of unsplit totals behind it, that hold an anchored
        effect, and the anchor whose effect it is.
    """

    edges: tuple[Edge, ...]
    step: Ints
    unit: Ints
    target: Floats
    scale: Floats
    slot: Ints
    of: Ints

    def __len__(self) -> int:
        return len(self.edges)


def cell_block(blueprint: Blueprint) -> Block | None:
    """The block of cell effects, if the plan has one."""
    return next((block for block in blueprint.blocks if block.cellwise), None)


def make_anchors(blueprint: Blueprint) -> Anchors:
    """Find the totals whose largest cell has an effect to spare."""
    found = _edges(blueprint) if cell_block(blueprint) is not None else []
    found_at = [one[1] for one in found]
    slot, of = _slots(blueprint, found_at)
    return Anchors(
        edges=tuple(one[0] for one in found),
        step=np.array([step for step, _ in found_at], dtype=np.int64),
        unit=np.array([unit for _, unit in found_at], dtype=np.int64),
        target=np.array([one[2] for one in found], dtype=float),
        scale=np.array([one[3] for one in found], dtype=float),
        slot=slot,
        of=of,
    )


def _edges(blueprint: Blueprint) -> list[tuple[Edge, Place, float, float]]:
    """Large totals over several cells of which one dominates."""
    out: list[tuple[Edge, Place, float, float]] = []
    for edge in main_cells(blueprint):
        batch = blueprint.batches[edge.batch]
        low, high = (float(x[edge.row, edge.depth]) for x in (batch.low, batch.high))
        step, position = path_to(blueprint, batch, edge)[-1]
        last = (step, int(blueprint.layout.unit[position]))
        if low >= LEAST and high <= RANGE * low and last not in [place for _, place, *_ in out]:
            out.append((edge, last, float(np.log((low + high) / 2)), relative_error(low, high)))
    return out


def main_cells(blueprint: Blueprint) -> list[Edge]:
    """The cell that dominates each group of ratio paths that is no single count, once for each stage spoken of."""
    out = []
    for number, batch in enumerate(blueprint.batches):
        for row, name in enumerate(batch.groups):
            n = batch.n[row]
            column = int(np.argmax(n))
            if (
                batch.ratio
                and not batch.end
                and blueprint.analysis.groups[name].part < 0
                and n[column] >= MAIN * n.sum()
                and all(blueprint.ratio_steps[s] for s in batch.step[row][batch.segment[row] >= 0])
                and not single_path(blueprint, batch, row)
            ):
                out += [Edge(number, row, column, depth) for depth in range(batch.depth)]
    return out


def path_to(blueprint: Blueprint, batch: Batch, edge: Edge) -> list[tuple[int, int]]:
    """Steps and positions of the path to the stage of an edge."""
    segment, size = batch.segment[edge.row, edge.column], blueprint.layout.size
    slots = batch.slots[edge.row, edge.column, (segment >= 0) & (segment <= edge.depth)]
    return [(int(slot) // size, int(slot) % size) for slot in slots]


def relative_error(low: float, high: float) -> float:
    """Of a count between two numbers, its own variation included."""
    middle = (low + high) / 2
    return float(np.hypot(np.sqrt(_FACTOR / middle), (high - low) / (ROUGH * middle)))


def single_path(blueprint: Blueprint, batch: Batch, row: int) -> list[tuple[int, int]]:
    """Steps and positions of the path of a group: one cell or part, ratio steps, a count known closely; else empty."""
    single = bool(batch.ratio) and batch.depth == 1 and not batch.end and int(batch.mask[row].sum()) == 1
    low, high = float(batch.low[row, 0]), float(batch.high[row, 0])
    if not single or high > RANGE * low:
        return []
    group = blueprint.analysis.groups[batch.groups[row]]
    if group.part < 0:
        path = path_to(blueprint, batch, Edge(0, row, 0, 0))
    else:
        total = int(blueprint.layout.positions[group.part])
        path = [(step, total) for step in range(int(group.start[0]), group.stages[0])]
    return path if all(blueprint.ratio_steps[step] for step, _ in path) else []


def _slots(blueprint: Blueprint, at: list[Place]) -> tuple[Ints, Ints]:
    """Where the effects of these places stand: the cell's own steps, and every part that passes them."""
    layout, groups = blueprint.layout, blueprint.analysis.groups
    # Of an unsplit total and its cells the total alone is read.
    first = {int(unit): a for a, unit in enumerate(layout.unit) if layout.member_of[a] < 0}
    slots = [(step * layout.size + first[unit], number) for number, (step, unit) in enumerate(at)]
    parts = [group for group in groups if group.part >= 0]
    numbers = {place: number for number, place in enumerate(at)}
    for q, group in enumerate(parts):
        unit = int(layout.unit[layout.positions[group.part]])
        for step in range(int(group.start[0]), group.stages[0]):
            if (step, unit) in numbers:
                slots.append((layout.steps * layout.size + q, numbers[step, unit]))
    both = np.array(slots, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
