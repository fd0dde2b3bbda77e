"""Which quantities are published: every node of the three axes, for every step and end to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.axes import Axis
from ..data.funnel import Funnel, Step
from ..data.names import AXES
from ..data.panel import Panel
from ..models.layout import Layout
from .rowwise import variances, weighted_means

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]  # of single precision where many
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
BETWEEN = "|"  # the parts of a row's key


@dataclass(frozen=True)
class Rows:
    """Node triples and the cells below each.

    Parameters
    ----------
    names : (N, 3) object
        Node names, in the order offense, jurisdiction, period.
    member : (N, A) sparse
        1 where an active cell lies below the nodes of a row.
    whole : (N, 3) bool
        The node covers its whole axis, as the root does: nothing distinguishes it from siblings there.
    leaf : (N,) bool
        The row is one cell.
    """

    names: NDArray[np.object_]
    member: sp.csr_matrix
    whole: Bools
    leaf: Bools

    def __len__(self) -> int:
        return len(self.names)

    def take(self, keep: Ints | Bools) -> Rows:
        """Some of the rows."""
        return Rows(self.names[keep], self.member[keep], self.whole[keep], self.leaf[keep])

    def find(self, offense: str, jurisdiction: str, period: str) -> int | None:
        """Position of a node triple."""
        hit = np.flatnonzero(
            (self.names == np.array([offense, jurisdiction, period], dtype=object)).all(axis=1)
        )
        return int(hit[0]) if len(hit) else None


def _membership(axis: Axis) -> tuple[list[str], sp.csr_matrix]:
    """Node names of an axis and the (nodes, leaves) incidence matrix."""
    names = [node.name for node in axis.nodes]
    rows = np.repeat(np.arange(len(names)), [len(axis.positions[name]) for name in names])
    columns = np.concatenate([axis.positions[name] for name in names])
    shape = (len(names), len(axis))
    return names, sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def make_rows(panel: Panel, layout: Layout) -> Rows:
    """Every node triple that has an active cell below it.

    A row that holds an unsplit total whole holds it, and not its cells beside it; made nodes are no rows.
    """
    parts = [_membership(panel.axes[axis]) for axis in AXES]
    member = sp.csr_matrix(sp.kron(sp.kron(parts[0][1], parts[1][1]), parts[2][1]))[:, layout.cells]
    # The Kronecker product stores zeros of its blocks; a row's cells are read off its stored entries.
    member.eliminate_zeros()
    counts = [len(names) for names, _ in parts]
    index = np.indices(counts).reshape(3, -1)
    names = np.stack([np.array(parts[k][0], dtype=object)[index[k]] for k in range(3)], axis=1)
    sizes = [np.asarray(matrix.sum(axis=1)).ravel() for _, matrix in parts]
    whole = np.stack([sizes[k][index[k]] == layout.shape[k] for k in range(3)], axis=1)
    leaf = np.stack(
        [np.array([not panel.axes[axis].children[name] for name in parts[k][0]])[index[k]]
         for k, axis in enumerate(AXES)], axis=1
    ).all(axis=1)  # fmt: skip
    member = _without_members(panel, layout, member, index[0], parts[0][0])
    made = np.stack(
        [np.array([bool(panel.axes[axis].by_name[name].made) for name in parts[k][0]])[index[k]]
         for k, axis in enumerate(AXES)], axis=1
    ).any(axis=1)  # fmt: skip
    keep = (member.getnnz(axis=1) > 0) & ~made
    return Rows(names, member, whole, leaf).take(keep)


def _without_members(
    panel: Panel, layout: Layout, member: sp.csr_matrix, offense: Ints, names: Sequence[str]
) -> sp.csr_matrix:
    """Take the cells of an unsplit total out of the rows that hold the total."""
    inside = np.flatnonzero(layout.member_of >= 0)
    if not len(inside):
        return member
    axis = panel.axes.offense
    leaves = np.array(axis.leaves, dtype=object)
    total = leaves[np.unravel_index(layout.member_of[inside], layout.shape)[0]]
    holds = {leaf: {leaf, *axis.ancestors(leaf)} for leaf in set(total)}
    drop = np.zeros((len(names), layout.size))
    for row, name in enumerate(names):
        drop[row, inside] = [name in holds[leaf] for leaf in total]
    entries = member.tocoo()
    keep = drop[offense[entries.row], entries.col] == 0
    return sp.csr_matrix((entries.data[keep], (entries.row[keep], entries.col[keep])), shape=member.shape)


def published_steps(funnel: Funnel) -> tuple[tuple[str, Step], ...]:
    """The quantity's name and its step: each consecutive step, from the first stage to each later, end to end."""
    steps = [("rate", step) for step in funnel.steps]
    last = len(funnel.stages) - 1
    steps += [("rate", funnel.step(0, stage)) for stage in range(2, last)]
    return tuple(steps + ([("end_to_end", funnel.end_to_end)] if last > 1 else []))


def draws_last(values: Floats, of: Callable[[Floats], Floats] = np.asarray) -> Floats:
    """A copy of draws (R, …), or of what a function makes of them, as (…, R): those of one cell lie side by side."""
    out = np.empty((*values.shape[1:], len(values)))
    # A few at a time: what is read and what is written then both stay in the processor's cache.
    for start in range(0, len(values), 32):
        out[..., start : start + 32] = np.moveaxis(of(values[start : start + 32]), 0, -1)
    return out


@dataclass(frozen=True)
class StepDraws:
    """Draws of the cells for one step, those of one cell side by side.

    Parameters
    ----------
    rates : (L, A, R)
        Of the steps on the way.
    weight, outcome : (A, R), or (A, 1) where all draws agree
        Counts at the step's source and at its target; 0 where unknown.
    """

    rates: Reals
    weight: Floats
    outcome: Floats

    def means(self, member: sp.csr_matrix, weight: Floats, below: Floats) -> Floats:
        """Means of the rates of rows (N, A), weighted as ``weighted_means`` has it, (N, R)."""
        return weighted_means(member.indptr, member.indices, member.data, weight, below, self.rates)


class CellDraws:
    """Draws of the cells, which are summed to rows.

    Parameters
    ----------
    rates : (R, S, A)
    counts : (R, S + 1, A)
        NaN where a stage of a cell is unknown in every draw; such a cell does not count. Of a view that repeats one
        draw one is read.
    """

    def __init__(self, rates: Reals, counts: Floats) -> None:
        self.rates, self.counts = rates, counts
        same = counts.strides[0] == 0
        self._counts = np.moveaxis(counts[:1] if same else counts, 0, -1)

    @classmethod
    def of_rates(cls, rates: Reals) -> CellDraws:
        """Rates whose counts nobody asks for."""
        draws, steps, cells = rates.shape
        return cls(rates, np.broadcast_to(np.zeros((steps + 1, cells)), (draws, steps + 1, cells)))

    def step(self, step: Step) -> StepDraws:
        """Those of one step."""
        ends = (np.nan_to_num(self._counts[stage]) for stage in (step.source, step.target))
        rates = np.ascontiguousarray(np.moveaxis(self.rates, 0, -1)[step.source : step.target])
        return StepDraws(rates, *(np.ascontiguousarray(end) for end in ends))

    def mean_counts(self) -> Floats:
        """Mean counts over the draws, (S + 1, A)."""
        return np.nan_to_num(self._counts).mean(axis=2)


@dataclass(frozen=True)
class Values:
    """Draws of the rows of one step.

    Parameters
    ----------
    superpopulation, finite, denominator : (N, R)
        Rates as model parameters, realised rates, and the denominators behind both; the last two (N, 1) where all
        draws agree.
    """

    superpopulation: Floats
    finite: Floats
    denominator: Floats


def evaluate(member: sp.csr_matrix, cells: StepDraws) -> Values:
    """Rates of rows from draws of their cells.

    Parameters
    ----------
    member : (N, A) sparse
    cells : StepDraws

    Notes
    -----
    The superpopulation rate is Σ w p / Σ w with w the counts at the step's source, drawn jointly where they are not
    known; where all weights are zero it is the plain mean of the cells' rates.
    """
    denominator, numerator = member @ cells.weight, member @ cells.outcome
    with np.errstate(divide="ignore", invalid="ignore"):
        finite = np.where(denominator <= 0, np.nan, numerator / denominator)
    return Values(cells.means(member, cells.weight, denominator), finite, denominator)


def link(values: Reals, ratio: bool) -> Floats:
    """Logit of a probability, log of a ratio, kept finite."""
    # In single precision 1 - 1e-12 is 1.
    values = np.asarray(values, dtype=float)
    if ratio:
        return np.log(np.maximum(values, 1e-12))
    inside = np.clip(values, 1e-12, 1 - 1e-12)
    return np.log(inside / (1 - inside))


def spread(values: Reals, ratio: bool) -> Floats:
    """Variance of each row (N, R) on the link scale, (N,)."""
    return variances(values, partial(link, ratio=ratio))


def quantity_id(quantity: str, step: str, names: Sequence[str], basis: str) -> str:
    """The key of a row: a readable string, unique within a run."""
    return BETWEEN.join([quantity, step, *names, basis])
