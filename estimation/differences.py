"""Differences of two rates, drawn jointly: changes between periods and contrasts between siblings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES, ROOT
from ..models.blueprint import Blueprint
from .blocks import Collector, frame
from .contraction import Reference, contraction
from .evidence import Behind
from .labels import NOT, label
from .reporting import LEAST, reporting_share
from .rows import Bools, Floats, Rows, StepDraws, evaluate, link

_LITTLE: Final = 1e-4  # of a whole: what is left of it has lost four digits of sixteen


@dataclass(frozen=True)
class _Drawn:
    """Draws of some rows.

    Parameters
    ----------
    rate, prior : (N, R), (N, R')
        Of the superpopulation rate, and of the same under the prior.
    denominator : (N, R), or (N, 1) where all draws agree
    weight : (N, 1)
        Sum of what the cells count in averages of the prior; where it is 0 they count alike.
    """

    rate: Floats
    prior: Floats
    denominator: Floats
    weight: Floats

    @classmethod
    def of(cls, member: sp.csr_matrix, step: Step, cells: StepDraws, reference: Reference) -> _Drawn:
        """Of rows by their cells, (N, A)."""
        values = evaluate(member, cells)
        prior, weight = reference.averages(member, step)
        return cls(values.superpopulation, prior, values.denominator, weight[:, None])

    def take(self, keep: NDArray[np.int64]) -> _Drawn:
        """Some of the rows."""
        return _Drawn(self.rate[keep], self.prior[keep], self.denominator[keep], self.weight[keep])

    def without(self, part: _Drawn) -> _Drawn:
        """What is left of each row when a part of it is taken out: of averages by their weights.

        Adding up all other cells once for each part would cost as many times more as there are parts.
        """
        rest, weight = self.denominator - part.denominator, self.weight - part.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = (self.rate * self.denominator - part.rate * part.denominator) / rest
            prior = (self.prior * self.weight - part.prior * part.weight) / weight
        return _Drawn(rate, prior, rest, weight)

    def replaced(self, rows: Bools, other: _Drawn) -> _Drawn:
        """With other draws of some rows."""
        place = np.flatnonzero(rows)
        found = {}
        for name, mine in vars(self).items():
            found[name] = out = mine.copy()
            out[place] = getattr(other, name)
        return _Drawn(**found)


def _differences(
    collector: Collector,
    quantity: str,
    step: Step,
    names: NDArray[np.object_],
    one: _Drawn,
    two: _Drawn,
    behind: Behind,
    limits: Floats,
    withheld: Bools,
) -> None:
    """Rows that are differences of two rates, drawn jointly; those to be withheld without their numbers."""
    moved, prior = (
        (link(second, step.kind == "ratio") - link(first, step.kind == "ratio")).var(axis=1)
        for first, second in ((one.rate, two.rate), (one.prior, two.prior))
    )
    against = contraction(moved, prior)
    against[~behind.touched] = 0.0
    labels = label(against, np.full(len(names), np.nan), behind.margins_only, behind.unread, behind.few)
    labels[withheld] = NOT
    size = np.median(np.minimum(one.denominator, two.denominator), axis=1)
    values = two.rate - one.rate
    block = frame(
        quantity, step, names, "superpopulation", values, limits, against, against, labels, behind, size
    )
    collector.keep(block, values, np.ones(len(names), dtype=bool))


def _minus(one: Floats, two: Floats) -> Floats:
    """Bounds of the second rate less the first."""
    return np.column_stack([two[:, 0] - one[:, 1], two[:, 1] - one[:, 0]])


def _both(behind: Behind, one: NDArray[np.int64], two: NDArray[np.int64]) -> Behind:
    a, b = behind.take(one), behind.take(two)
    return Behind(
        a.statements + b.statements,
        a.touched & b.touched,
        a.margins_only | b.margins_only,
        a.counted & b.counted,
        a.period_clock | b.period_clock,
        np.where(a.as_of > b.as_of, a.as_of, b.as_of),
        a.mixed | b.mixed,
        a.bare | b.bare,
        np.minimum(a.reported, b.reported),
    )


def changes(
    collector: Collector,
    blueprint: Blueprint,
    rows: Rows,
    step: Step,
    cells: StepDraws,
    reference: Reference,
    behind: Behind,
    limits: Floats,
) -> None:
    """The last period against the one before, at every offense and jurisdiction that has both.

    It is withheld where too little of the denominator reports: what changed may be who did.
    """
    leaves = blueprint.panel.axes.period.leaves
    if len(leaves) < 2:
        return
    before, after = leaves[-2:]
    at = {tuple(name): number for number, name in enumerate(rows.names)}
    pairs = [
        (at[o, j, before], at[o, j, after]) for o, j, t in rows.names if t == after and (o, j, before) in at
    ]
    if not pairs:
        return
    one, two = np.array(pairs).T
    names = rows.names[two].copy()
    names[:, 2] = f"{before}→{after}"
    national = rows.whole[two, AXES.index("jurisdiction")]
    both = _both(behind, one, two)
    few = (national & (reporting_share(blueprint) < LEAST)) | both.few
    earlier, later = (_Drawn.of(rows.member[which], step, cells, reference) for which in (one, two))
    bounds = _minus(limits[one], limits[two])
    _differences(collector, "change", step, names, earlier, later, both, bounds, few)


def contrasts(
    collector: Collector,
    blueprint: Blueprint,
    rows: Rows,
    step: Step,
    cells: StepDraws,
    reference: Reference,
    behind: Behind,
    answer: tuple[str, str],
) -> None:
    """Each child against its siblings together: offenses at the answer, jurisdictions over all offenses."""
    axes = blueprint.panel.axes
    at = {tuple(name): number for number, name in enumerate(rows.names)}
    wanted: list[tuple[int, int]] = []
    for name in axes.offense.by_name:
        wanted += _pair(at, (name, *answer), (axes.offense.by_name[name].parent, *answer))
    for name in axes.jurisdiction.by_name:
        parent = axes.jurisdiction.by_name[name].parent
        wanted += _pair(at, (ROOT, name, answer[1]), (ROOT, parent, answer[1]))
    if not wanted:
        return
    child, parent = np.array(wanted).T
    # A share of an unsplit total is no part that can be taken out of it.
    size = rows.member.getnnz(axis=1)
    common = sp.csr_matrix(rows.member[parent].multiply(rows.member[child])).getnnz(axis=1)
    keep = (size[parent] > size[child]) & (size[child] == common)
    if not keep.any():
        return
    child, parent = child[keep], parent[keep]
    names = rows.names[child]
    two = _Drawn.of(rows.member[child], step, cells, reference)
    whole, place = np.unique(parent, return_inverse=True)
    all_of = _Drawn.of(rows.member[whole], step, cells, reference).take(place)
    one = all_of.without(two)
    # Where next to nothing is left, in some draw, the difference of two sums does not say what.
    little = ((one.denominator < _LITTLE * all_of.denominator) | (one.denominator <= 0)).any(axis=1)
    little |= ((one.weight < _LITTLE * all_of.weight) | (one.weight <= 0)).any(axis=1)
    if little.any():
        rest = sp.csr_matrix(rows.member[parent[little]] - rows.member[child[little]])
        rest.eliminate_zeros()
        one = one.replaced(little, _Drawn.of(rest, step, cells, reference))
    unbounded = np.column_stack([np.full(len(child), -np.inf), np.full(len(child), np.inf)])
    if step.kind == "probability":
        unbounded = np.column_stack([-np.ones(len(child)), np.ones(len(child))])
    _differences(
        collector, "contrast", step, names, one, two, behind.take(child), unbounded,
        np.zeros(len(child), dtype=bool),
    )  # fmt: skip


def _pair(
    at: dict[tuple[str, ...], int], child: Sequence[str | None], parent: Sequence[str | None]
) -> list[tuple[int, int]]:
    if None in parent:
        return []
    one, two = at.get(tuple(map(str, child))), at.get(tuple(map(str, parent)))
    return [(one, two)] if one is not None and two is not None else []
