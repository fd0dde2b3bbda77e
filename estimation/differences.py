"""Differences of two rates, drawn jointly: changes between periods and contrasts between siblings."""

from __future__ import annotations

from collections.abc import Sequence

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


def _differences(
    collector: Collector,
    quantity: str,
    step: Step,
    names: NDArray[np.object_],
    pair: tuple[sp.csr_matrix, sp.csr_matrix],
    cells: StepDraws,
    reference: Reference,
    behind: Behind,
    limits: Floats,
    withheld: Bools,
) -> None:
    """Rows that are differences of two rates, drawn jointly; those to be withheld without their numbers."""
    ratio = step.kind == "ratio"
    one, two = (evaluate(member, cells) for member in pair)
    prior = [reference.prior(member, step) for member in pair]
    moved = link(two.superpopulation, ratio) - link(one.superpopulation, ratio)
    against = contraction(moved.var(axis=1), (prior[1] - prior[0]).var(axis=1))
    against[~behind.touched] = 0.0
    labels = label(against, np.full(len(names), np.nan), behind.margins_only, behind.unread, behind.few)
    labels[withheld] = NOT
    size = np.median(np.minimum(one.denominator, two.denominator), axis=1)
    values = two.superpopulation - one.superpopulation
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
    _differences(
        collector, "change", step, names, (rows.member[one], rows.member[two]), cells, reference,
        both, _minus(limits[one], limits[two]), few,
    )  # fmt: skip


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
    rest = sp.csr_matrix(rows.member[parent] - rows.member[child])
    rest.eliminate_zeros()
    names = rows.names[child]
    unbounded = np.column_stack([np.full(len(child), -np.inf), np.full(len(child), np.inf)])
    if step.kind == "probability":
        unbounded = np.column_stack([-np.ones(len(child)), np.ones(len(child))])
    _differences(
        collector, "contrast", step, names, (rest, rows.member[child]), cells, reference,
        behind.take(child), unbounded, np.zeros(len(child), dtype=bool),
    )  # fmt: skip


def _pair(
    at: dict[tuple[str, ...], int], child: Sequence[str | None], parent: Sequence[str | None]
) -> list[tuple[int, int]]:
    if None in parent:
        return []
    one, two = at.get(tuple(map(str, child))), at.get(tuple(map(str, parent)))
    return [(one, two)] if one is not None and two is not None else []
