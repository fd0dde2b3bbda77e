"""Differences of two rates, drawn jointly: changes between periods and contrasts between siblings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES, CHANGE, ROOT
from ..models.blueprint import Blueprint
from .blocks import Collector, block_of
from .contraction import Reference, contraction
from .evidence import Behind
from .labels import NOT, label
from .reporting import LEAST, reporting_share
from .rows import Bools, Floats, Rows, StepDraws, evaluate, link
from .rowwise import means_and_variances, row_blocks

Ints = NDArray[np.int64]
_LITTLE: Final = 1e-4  # of a whole: what is left of it has lost four digits of sixteen


@dataclass(frozen=True)
class _Averages:
    """Draws of some rows as averages of their cells, (N, R), and the sums of what the cells count, (N, R) or (N, 1)."""

    value: Floats
    weight: Floats

    def take(self, keep: Ints) -> _Averages:
        """Some of the rows."""
        return _Averages(self.value[keep], self.weight[keep])

    def without(self, part: _Averages) -> _Averages:
        """What is left of each row when a part of it is taken out.

        Adding up all other cells once for each part would cost as many times more as there are parts.
        """
        rest = self.weight - part.weight
        with np.errstate(divide="ignore", invalid="ignore"):
            return _Averages((self.value * self.weight - part.value * part.weight) / rest, rest)

    def replaced(self, rows: Bools, other: _Averages) -> _Averages:
        """With other draws of some rows."""
        value, weight = self.value.copy(), self.weight.copy()
        value[rows], weight[rows] = other.value, other.weight
        return _Averages(value, weight)


_Of = Callable[[sp.csr_matrix], _Averages]


@dataclass(frozen=True)
class Pairs:
    """Rows whose rates are compared: the second of each less the first.

    Parameters
    ----------
    quantity : {"change", "contrast"}
    names : (N, 3) object
        What the differences are called on the axes.
    first, second : (N,)
        Positions of the rows.
    rest : bool
        Of the first only what is left without the second, which is a part of it.
    behind : Behind
        Evidence of the differences.
    withheld : (N,) bool
        To be told without their numbers.
    """

    quantity: str
    names: NDArray[np.object_]
    first: Ints
    second: Ints
    rest: bool
    behind: Behind
    withheld: Bools

    def take(self, keep: Ints) -> Pairs:
        """Some of the differences."""
        return Pairs(
            self.quantity,
            self.names[keep],
            self.first[keep],
            self.second[keep],
            self.rest,
            self.behind.take(keep),
            self.withheld[keep],
        )

    def averages(self, member: sp.csr_matrix, of: _Of) -> tuple[_Averages, _Averages]:
        """Those of both sides, by the cells (N', A) of the rows."""
        two = of(member[self.second])
        if not self.rest:
            return of(member[self.first]), two
        whole, place = np.unique(self.first, return_inverse=True)
        all_of = of(member[whole]).take(place)
        one = all_of.without(two)
        # Where next to nothing is left, in some draw, the difference of two sums does not say what.
        little = ((one.weight < _LITTLE * all_of.weight) | (one.weight <= 0)).any(axis=1)
        if little.any():
            rest = sp.csr_matrix(member[self.first[little]] - member[self.second[little]])
            rest.eliminate_zeros()
            one = one.replaced(little, of(rest))
        return one, two

    def prior(self, member: sp.csr_matrix, step: Step, reference: Reference) -> Floats:
        """Variance of the differences under the prior, on the link scale, (N,)."""

        def of(rows: sp.csr_matrix) -> _Averages:
            values, weight = reference.averages(rows, step)
            return _Averages(values, weight[:, None])

        one, two = self.averages(member, of)
        return _variance(one.value, two.value, step)

    def judged(
        self, member: sp.csr_matrix, step: Step, reference: Reference, one: Floats, two: Floats
    ) -> tuple[Floats, NDArray[np.object_]]:
        """Contractions and labels of the differences of draws of both sides, (N, R) each."""
        against = contraction(_variance(one, two, step), self.prior(member, step, reference))
        against[~self.behind.touched] = 0.0
        none = np.full(len(self.names), np.nan)
        labels = label(against, none, self.behind.margins_only, self.behind.unread, self.behind.few)
        labels[self.withheld] = NOT
        return against, labels


def _variance(one: Floats, two: Floats, step: Step) -> Floats:
    ratio, out = step.kind == "ratio", np.empty(len(one))
    for few in row_blocks(*one.shape):
        out[few] = means_and_variances(link(two[few], ratio) - link(one[few], ratio))[1]
    return out


def _of_draws(cells: StepDraws, member: sp.csr_matrix) -> _Averages:
    values = evaluate(member, cells)
    return _Averages(values.superpopulation, values.denominator)


def differences(
    collector: Collector,
    pairs: Pairs,
    rows: Rows,
    step: Step,
    cells: StepDraws,
    reference: Reference,
    limits: Floats,
) -> None:
    """Differences of two rates, drawn jointly; those to be withheld without their numbers.

    Parameters
    ----------
    collector : Collector
    pairs : Pairs
    rows : Rows
        Those that the pairs are of.
    step : Step
    cells : StepDraws
    reference : Reference
    limits : (N', 2)
        Bounds of the rows.
    """
    one, two = pairs.averages(rows.member, partial(_of_draws, cells))
    against, labels = pairs.judged(rows.member, step, reference, one.value, two.value)
    size = np.median(np.minimum(one.weight, two.weight), axis=1)
    values = two.value - one.value
    if pairs.rest:
        most = 1.0 if step.kind == "probability" else np.inf
        bounds = np.tile([-most, most], (len(values), 1))
    else:
        first, second = limits[pairs.first], limits[pairs.second]
        bounds = np.column_stack([second[:, 0] - first[:, 1], second[:, 1] - first[:, 0]])
    block = block_of(
        pairs.quantity, step, pairs.names, "superpopulation", values, bounds, against, against, labels, pairs.behind,
        size,
    )  # fmt: skip
    collector.keep(block, values, np.ones(len(values), dtype=bool))


def _both(behind: Behind, one: Ints, two: Ints) -> Behind:
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
        a.without_units | b.without_units,
    )


def pairs_of(blueprint: Blueprint, rows: Rows, behind: Behind, answer: tuple[str, str]) -> Iterator[Pairs]:
    """The changes and the contrasts that rows give.

    Parameters
    ----------
    blueprint : Blueprint
    rows : Rows
    behind : Behind
        Of the rows.
    answer : (jurisdiction, period)
        At which contrasts are drawn.
    """
    for found in (_changes(blueprint, rows, behind), _contrasts(blueprint, rows, behind, answer)):
        if found is not None:
            yield found


def successive(blueprint: Blueprint, rows: Rows) -> tuple[Ints, Ints, NDArray[np.object_]]:
    """The last period but one and the last, at every offense and jurisdiction that has both; rows, and their names."""
    ends = blueprint.panel.axes.period.leaves[-2:]
    at = {tuple(name): number for number, name in enumerate(rows.names)}
    pairs = [
        (at[o, j, ends[0]], at[o, j, t]) for o, j, t in rows.names if t == ends[-1] and (o, j, ends[0]) in at
    ]
    one, two = _rows(pairs if len(ends) == 2 else [])
    names = rows.names[two].copy()
    names[:, 2] = CHANGE.join(ends)
    return one, two, names


def parts_of(blueprint: Blueprint, rows: Rows, answer: tuple[str, str]) -> tuple[Ints, Ints]:
    """Rows and, of each, a child that is a part of it: offenses at the answer, jurisdictions over all offenses."""
    axes = blueprint.panel.axes
    at = {tuple(name): number for number, name in enumerate(rows.names)}
    wanted: list[tuple[int, int]] = []
    for name, node in axes.offense.by_name.items():
        wanted += _pair(at, (node.parent, *answer), (name, *answer))
    for name, node in axes.jurisdiction.by_name.items():
        wanted += _pair(at, (ROOT, node.parent, answer[1]), (ROOT, name, answer[1]))
    parent, child = _rows(wanted)
    # A share of an unsplit total is no part that can be taken out of it.
    size, common = rows.member.getnnz(axis=1), np.zeros(len(child))
    for one in np.unique(parent):
        # A parent's cells are written down once, not once for each of its children.
        held = np.zeros(rows.member.shape[1])
        held[rows.member[one].indices] = 1.0
        mine = parent == one
        common[mine] = rows.member[child[mine]] @ held
    keep = (size[parent] > size[child]) & (size[child] == common)
    return parent[keep], child[keep]


def _rows(pairs: Sequence[tuple[int, int]]) -> Ints:
    """Pairs of rows as two arrays, (2, N)."""
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T


def _changes(blueprint: Blueprint, rows: Rows, behind: Behind) -> Pairs | None:
    """The last period against the one before, at every offense and jurisdiction that has both.

    It is withheld where too little of the denominator reports: what changed may be who did.
    """
    one, two, names = successive(blueprint, rows)
    if not len(one):
        return None
    national = rows.whole[two, AXES.index("jurisdiction")]
    both = _both(behind, one, two)
    few = (national & (reporting_share(blueprint) < LEAST)) | both.few
    return Pairs("change", names, one, two, False, both, few)


def _contrasts(blueprint: Blueprint, rows: Rows, behind: Behind, answer: tuple[str, str]) -> Pairs | None:
    """Each child against its siblings together: offenses at the answer, jurisdictions over all offenses."""
    parent, child = parts_of(blueprint, rows, answer)
    if not len(child):
        return None
    none = np.zeros(len(child), dtype=bool)
    return Pairs("contrast", rows.names[child], parent, child, True, behind.take(child), none)


def _pair(
    at: dict[tuple[str, ...], int], parent: Sequence[str | None], child: Sequence[str | None]
) -> list[tuple[int, int]]:
    if None in parent:
        return []
    one, two = at.get(tuple(map(str, parent))), at.get(tuple(map(str, child)))
    return [(one, two)] if one is not None and two is not None else []
