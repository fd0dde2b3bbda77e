"""Totals over several cells: their cell effects are sampled as a split of the total.

Where a total fixes a sum of rates far more closely than the prior, it lies on a curved ridge: what one cell gains the
others lose, and none can hold more than the total. With y the total, κ its relative error and m_c what the predictors
of the smaller cells make of their denominators, with cell effects σ ζ_c of their own, the cells hold

    y e^(κ ζ) · (1, m_1 / y e^(κ ζ), ..., m_k / y e^(κ ζ)) / (1 + Σ m_c / y e^(κ ζ)),

the largest cell first. On the log scale all cells move by the same δ = log(1 + Σ m_c / y e^(κ ζ)), which a common factor
of all leaves as it is: the determinant of the map is one. The total speaks of ζ alone; the smaller cells are as in
the prior where they hold little, and stay below the total wherever the sampler looks. This is full centring in the
mean (Papaspiliopoulos, Roberts and Sköld 2007) of the last effects before the data. A bound from below is a total that
is sampled: y e^(κ ζ) becomes a place behind the wall, y (1 + e^ζ)^w, less a few errors. Counts of single cells need no
anchor: see ``sightings``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint
from .contract import Batch
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 30.0  # totals from which the relative error is below any spread between cells worth the name
MAIN = 0.6  # share of a total's units from which its largest cell can stand for it
WALL = 0.3  # w: how far beyond a bound a typical step of the coordinate leads, on the log scale
_LEAST_BOUND = 3.0  # smaller bounds say little more than the prior
_BEFORE = 4.0  # errors by which the total may lie behind the wall, where the count hardly lets it be
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
    """The cell effects that split totals, G of them.

    Parameters
    ----------
    edges : tuple of Edge
        The totals, in the order in which they are put in.
    columns : tuple of tuple of int
        Their cells, the largest first; the G effects stand in the same order, total after total.
    target : (E,) float
        Log of each total, or of the wall it lies behind.
    scale : (E,) float
        Its relative error κ.
    wall : (E,) bool
        Is it known from below alone?
    step, unit : (G,) int
    slot, of : (K,) int
        Positions in the raveled linear predictor, the parts of unsplit totals behind it, that hold an anchored
        effect, and the anchor whose effect it is.
    """

    edges: tuple[Edge, ...]
    columns: tuple[tuple[int, ...], ...]
    target: Floats
    scale: Floats
    wall: NDArray[np.bool_]
    step: Ints
    unit: Ints
    slot: Ints
    of: Ints

    def __len__(self) -> int:
        return len(self.step)

    @property
    def first(self) -> Ints:
        """Place of each total's largest cell among the effects, (E,)."""
        return np.cumsum([0, *(len(columns) for columns in self.columns[:-1])], dtype=np.int64)


def cell_block(blueprint: Blueprint) -> Block | None:
    """The block of cell effects, if the plan has one."""
    return next((block for block in blueprint.blocks if block.cellwise), None)


def make_anchors(blueprint: Blueprint) -> Anchors:
    """Find the totals one cell of which dominates, every cell with an effect to spare."""
    edges: list[Edge] = []
    columns: list[tuple[int, ...]] = []
    ends: list[tuple[float, float]] = []  # the target and its error
    walls: list[bool] = []
    places: list[Place] = []
    for edge in main_cells(blueprint) if cell_block(blueprint) is not None else []:
        batch = blueprint.batches[edge.batch]
        low, high = (float(x[edge.row, edge.depth]) for x in (batch.low, batch.high))
        if low < (_LEAST_BOUND if np.isinf(high) else LEAST) or RANGE * low < high < np.inf:
            continue
        cells = [edge.column, *(int(c) for c in np.flatnonzero(batch.mask[edge.row]) if c != edge.column)]
        last = [path_to(blueprint, batch, replace(edge, column=c))[-1] for c in cells]
        own = [(step, int(blueprint.layout.unit[position])) for step, position in last]
        if len(set(own)) == len(own) and not set(own) & set(places):
            edges.append(edge)
            columns.append(tuple(cells))
            wall = np.isinf(high)
            error = relative_error(low, low if wall else high)
            ends.append((float(np.log(low) - _BEFORE * error if wall else np.log((low + high) / 2)), error))
            walls.append(bool(wall))
            places += own
    slot, of = _slots(blueprint, places)
    return Anchors(
        edges=tuple(edges),
        columns=tuple(columns),
        target=np.array([target for target, _ in ends]),
        scale=np.array([error for _, error in ends]),
        wall=np.array(walls, dtype=bool),
        step=np.array([step for step, _ in places], dtype=np.int64),
        unit=np.array([unit for _, unit in places], dtype=np.int64),
        slot=slot,
        of=of,
    )


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
