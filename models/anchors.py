"""Totals over several cells: their cell effects are sampled as a split of the total.

Where a total fixes a sum of rates far more closely than the prior, it lies on a curved ridge: what one cell gains the
others lose, and none can hold more than the total. So what each cell holds is a coordinate itself. With y the total, κ
its relative error, and m_c what a smaller cell would hold by itself given its coordinate ζ_c and all counts of single
cells (see ``whitened``), the cells hold m_c e^(-a_c δ), the largest y e^(κ ζ - δ), with δ such that they sum to the
total. Then the total speaks of ζ alone; the smaller cells are as in the prior where they hold little, and stay below
the total wherever the sampler looks. Each cell is a count of a single path like any other, known exactly but for its
cell effect, and the other effects are sampled as departures from it (see ``sightings``): a small spread between cells
steepens nothing. Where totals at several stages are split over the same cells, the coordinates of a later one are those
of the step between.

A bound from below is a total that is sampled: a place behind the wall at y, less a few errors. Counts of single cells
need no anchor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .batches import Batch
from .blueprint import Blueprint
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
    """A cell of a group and a stretch of its path.

    Parameters
    ----------
    batch, row, column : int
        Group and cell.
    depth : int
        The anchored step is the last that leads to this stage spoken of.
    since : int
        The path begins behind this stage spoken of; -1 where it begins at the denominator.
    """

    batch: int
    row: int
    column: int
    depth: int
    since: int = -1


@dataclass(frozen=True)
class Anchors:
    """The cell effects that split totals, G of them.

    Parameters
    ----------
    edges : tuple of Edge
        The largest cell of each total, in the order in which they are put in.
    cells : tuple of Edge
        The cells of all totals, G of them: total after total, the largest first.
    total : (G,) int
        The total each belongs to.
    before : (G,) int
        The same cell in the total of an earlier stage, -1 where there is none.
    log_n : (G,) float
        Log of the cell's denominator, zero where it has an earlier stage.
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
    cells: tuple[Edge, ...]
    total: Ints
    before: Ints
    log_n: Floats
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
        return np.searchsorted(self.total, np.arange(len(self.edges)))

    @property
    def ends(self) -> Ints:
        """Behind the last cell of each total, (E,)."""
        return np.searchsorted(self.total, np.arange(len(self.edges)), side="right")


NO_ANCHORS = Anchors(
    (),
    (),
    *(np.zeros(0, dtype=np.int64),) * 2,
    *(np.zeros(0),) * 3,
    np.zeros(0, dtype=bool),
    *(np.zeros(0, dtype=np.int64),) * 4,
)


def cell_block(blueprint: Blueprint) -> Block | None:
    """The block of cell effects, if the plan has one."""
    return next((block for block in blueprint.blocks if block.cellwise), None)


def make_anchors(blueprint: Blueprint) -> Anchors:
    """Find the totals one cell of which dominates, every cell with an effect to spare."""
    edges: list[Edge] = []
    cells: list[Edge] = []
    total: list[int] = []
    before: list[int] = []
    ends: list[tuple[float, float]] = []  # the target and its error
    walls: list[bool] = []
    places: list[Place] = []
    for edge in main_cells(blueprint) if cell_block(blueprint) is not None else []:
        batch = blueprint.batches[edge.batch]
        low, high = (float(x[edge.row, edge.depth]) for x in (batch.low, batch.high))
        wall = np.isinf(high)
        if low < (_LEAST_BOUND if wall else LEAST) or RANGE * low < high < np.inf:
            continue
        columns = [edge.column, *(int(c) for c in np.flatnonzero(batch.mask[edge.row]) if c != edge.column)]
        split = [replace(edge, column=column) for column in columns]
        own = [_last(blueprint, one) for one in split]
        if len(set(own)) < len(own) or set(own) & set(places):
            continue
        earlier = [_earlier(one, cells) for one in split]
        cells += [
            replace(one, since=cells[k].depth if k >= 0 else -1)
            for one, k in zip(split, earlier, strict=True)
        ]
        error = relative_error(low, low if wall else high)
        ends.append((float(np.log(low) - _BEFORE * error if wall else np.log((low + high) / 2)), error))
        total += [len(edges)] * len(split)
        edges.append(edge)
        before += earlier
        walls.append(bool(wall))
        places += own
    slot, of = _slots(blueprint, places)
    log_n = [
        0.0 if one.since >= 0 else np.log(blueprint.batches[one.batch].n[one.row, one.column])
        for one in cells
    ]
    return Anchors(
        edges=tuple(edges),
        cells=tuple(cells),
        total=np.array(total, dtype=np.int64),
        before=np.array(before, dtype=np.int64),
        log_n=np.array(log_n, dtype=float),
        target=np.array([target for target, _ in ends]),
        scale=np.array([error for _, error in ends]),
        wall=np.array(walls, dtype=bool),
        step=np.array([step for step, _ in places], dtype=np.int64),
        unit=np.array([unit for _, unit in places], dtype=np.int64),
        slot=slot,
        of=of,
    )


def _last(blueprint: Blueprint, edge: Edge) -> Place:
    """Step and unit of the last cell effect of a path."""
    step, position = path_to(blueprint, blueprint.batches[edge.batch], edge)[-1]
    return step, int(blueprint.layout.unit[position])


def _earlier(edge: Edge, cells: list[Edge]) -> int:
    """The same cell of a group at the last stage before that is split; -1 where there is none."""
    same = [
        (one.depth, k)
        for k, one in enumerate(cells)
        if (one.batch, one.row, one.column) == (edge.batch, edge.row, edge.column) and one.depth < edge.depth
    ]
    return max(same)[1] if same else -1


def main_cells(blueprint: Blueprint) -> list[Edge]:
    """The cell that dominates each group of ratio paths that is no single count, once for each stage spoken of."""
    out = []
    for number, batch in enumerate(blueprint.batches):
        for row, name in enumerate(batch.groups):
            n = batch.n[row]
            column = int(np.argmax(n))
            if (
                batch.ratio
                and batch.members is None
                and not batch.end
                and blueprint.analysis.groups[name].part < 0
                and n[column] >= MAIN * n.sum()
                and all(blueprint.ratio_steps[s] for s in batch.step[row][batch.segment[row] >= 0])
                and not single_path(blueprint, batch, row)
            ):
                out += [Edge(number, row, column, depth) for depth in range(batch.depth)]
    return out


def path_to(blueprint: Blueprint, batch: Batch, edge: Edge) -> list[tuple[int, int]]:
    """Steps and positions of the stretch of an edge."""
    segment, size = batch.segment[edge.row, edge.column], blueprint.layout.size
    slots = batch.slots[edge.row, edge.column, (segment > edge.since) & (segment <= edge.depth)]
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
