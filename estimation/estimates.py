"""The table of published quantities: every row with its interval, bounds, contractions, label and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import ESTIMATE_COLUMNS, ROOT
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from .bounds import Bounds
from .contraction import Reference, contraction
from .evidence import Behind, Evidence
from .labels import COUNTED, NOT, label
from .rows import Bools, Floats, Rows, Values, evaluate, link, make_rows, published_steps, quantity_id

_QUANTILES = (("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95))
_CHUNK = 2000


@dataclass(frozen=True)
class Estimates:
    """The table, and the draws of the published aggregates.

    Parameters
    ----------
    table : DataFrame
        Columns of ``data.names.ESTIMATE_COLUMNS``.
    aggregate_ids : list of str
    aggregates : (R, Q) float32
        Draws of every row that is not a single cell.
    """

    table: pd.DataFrame
    aggregate_ids: list[str]
    aggregates: NDArray[np.float32]


class _Collector:
    """Gathers blocks of rows and the draws of aggregates."""

    def __init__(self) -> None:
        self.frames: list[pd.DataFrame] = []
        self.ids: list[str] = []
        self.draws: list[NDArray[np.float32]] = []

    def keep(self, frame: pd.DataFrame, draws: Floats, aggregate: Bools) -> None:
        """Store a block and the draws of its aggregates."""
        self.frames.append(frame)
        self.ids += list(frame["quantity_id"][aggregate])
        self.draws.append(draws[:, aggregate].astype(np.float32))


def estimates(
    blueprint: Blueprint,
    draws: FieldDraws,
    rates: Floats,
    counts: Floats,
    rng: np.random.Generator,
    answer: tuple[str, str],
    cells: bool = True,
) -> Estimates:
    """Every published quantity.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws, thinned for the reference variances if need be.
    rates : (R, S, A)
        Draws of cell rates.
    counts : (R, S + 1, A)
        Draws of complete counts, of the same R draws.
    rng : Generator
        For the reference variances.
    answer : (jurisdiction, period)
        Node at which contrasts are drawn.
    cells : bool
        Publish single cells beside the aggregates.
    """
    rows = make_rows(blueprint.panel, blueprint.layout)
    if not cells:
        rows = rows.take(~rows.leaf)
    reference = Reference(rng, blueprint, draws, np.nan_to_num(counts).mean(axis=0))
    evidence, bounds = Evidence(blueprint), Bounds(blueprint.panel, blueprint.analysis)
    collector = _Collector()
    for quantity, step in published_steps(blueprint.panel.funnel):
        reached = rows.member @ np.isfinite(counts[0, step.source]).astype(float) > 0
        here = rows.take(np.flatnonzero(reached))
        new_unit = reference.new_unit(here, step)
        behind = evidence.behind(here, step)
        limits = _bounds(bounds, blueprint, here, step)
        for start in range(0, len(here), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(here)))
            block = here.take(part)
            values = evaluate(block.member, rates, counts, step)
            own = contraction(_spread(values.superpopulation, step), new_unit[part])
            own[~np.isnan(own) & ~behind.touched[part]] = 0.0
            against = contraction(
                _spread(values.superpopulation, step), reference.prior(block, step).var(axis=0)
            )
            _collect(
                collector, quantity, step, block, values, _part(behind, part), limits[part], against, own
            )
        _changes(collector, blueprint, here, step, rates, counts, reference, behind, limits)
        _contrasts(collector, blueprint, here, step, rates, counts, reference, behind, answer)
    table = pd.concat(collector.frames, ignore_index=True)[list(ESTIMATE_COLUMNS)]
    return Estimates(table, collector.ids, np.concatenate(collector.draws, axis=1))


def _part(behind: Behind, part: NDArray[np.int64]) -> Behind:
    return Behind(
        behind.statements[part],
        behind.touched[part],
        behind.margins_only[part],
        behind.counted[part],
        behind.period_clock[part],
        behind.as_of[part],
    )


def _spread(values: Floats, step: Step) -> Floats:
    return link(values, step.kind == "ratio").var(axis=0)


def _bounds(bounds: Bounds, blueprint: Blueprint, rows: Rows, step: Step) -> Floats:
    """No-assumption bounds of the finite-population rate of each row, (N, 2)."""
    layout = blueprint.layout
    single = bounds.cell_rates(step.source, step.target)
    out = np.empty((len(rows), 2))
    sizes = rows.member.getnnz(axis=1)
    first = rows.member.indices[rows.member.indptr[:-1]]
    out[sizes == 1] = single[layout.cells[first[sizes == 1]]]
    for number in np.flatnonzero(sizes != 1):
        inside = rows.member.indices[rows.member.indptr[number] : rows.member.indptr[number + 1]]
        out[number] = bounds.rate(step.source, step.target, layout.cells[np.sort(inside)])
    return out


def _summary(values: Floats) -> dict[str, Floats]:
    """Median, mean, sd and quantiles; NaN where a quantity is undefined in every draw."""
    defined = np.isfinite(values).all(axis=0)
    safe = np.where(defined, values, 0.0)
    quantiles = np.quantile(safe, [q for _, q in _QUANTILES], axis=0)
    out = {name: row for (name, _), row in zip(_QUANTILES, quantiles, strict=True)}
    out["mean"], out["sd"] = safe.mean(axis=0), safe.std(axis=0, ddof=1)
    return {name: np.where(defined, column, np.nan) for name, column in out.items()}


def _frame(
    quantity: str,
    step: Step,
    names: NDArray[np.object_],
    basis: str,
    values: Floats,
    limits: Floats,
    against: Floats,
    own: Floats,
    labels: NDArray[np.object_],
    behind: Behind,
    denominator: Floats,
) -> pd.DataFrame:
    summary = _summary(values)
    hidden = labels == NOT
    for column in summary.values():
        column[hidden] = np.nan
    return pd.DataFrame(
        {
            "quantity_id": [quantity_id(quantity, step.name, list(row), basis) for row in names],
            "quantity": quantity,
            "step": step.name,
            "offense": names[:, 0],
            "jurisdiction": names[:, 1],
            "period": names[:, 2],
            "basis": basis,
            "clock": np.where(behind.period_clock, "period", "cohort"),
            "as_of": behind.as_of,
            **summary,
            "bound_low": limits[:, 0],
            "bound_high": limits[:, 1],
            "bound_basis": "data",
            "contraction": against,
            "contraction_own": own,
            "label": labels,
            "denominator_median": denominator,
            "statements": behind.statements,
        }
    )


def _collect(
    collector: _Collector,
    quantity: str,
    step: Step,
    rows: Rows,
    values: Values,
    behind: Behind,
    limits: Floats,
    against: Floats,
    own: Floats,
) -> None:
    labels = label(against, own, behind.margins_only)
    size = np.median(values.denominator, axis=0)
    frame = _frame(
        quantity, step, rows.names, "superpopulation", values.superpopulation, limits, against, own, labels,
        behind, size,
    )  # fmt: skip
    collector.keep(frame, values.superpopulation, ~rows.leaf)
    # A same-period ratio has no finite population: outcomes of the period are not those of its referrals.
    finite = np.flatnonzero(~behind.period_clock & np.isfinite(values.finite).all(axis=0))
    if not len(finite):
        return
    behind = _part(behind, finite)
    labels = np.where(behind.counted, COUNTED, labels[finite]).astype(object)
    frame = _frame(
        quantity, step, rows.names[finite], "finite", values.finite[:, finite], limits[finite],
        against[finite], own[finite], labels, behind, size[finite],
    )  # fmt: skip
    collector.keep(frame, values.finite[:, finite], ~rows.leaf[finite])


def _differences(
    collector: _Collector,
    quantity: str,
    step: Step,
    names: NDArray[np.object_],
    pair: tuple[sp.csr_matrix, sp.csr_matrix],
    rates: Floats,
    counts: Floats,
    reference: Reference,
    behind: Behind,
    limits: Floats,
) -> None:
    """Rows that are differences of two rates, drawn jointly."""
    ratio = step.kind == "ratio"
    one, two = (evaluate(member, rates, counts, step) for member in pair)
    empty = np.zeros((len(names), 3), dtype=bool)
    prior = [reference.prior(Rows(names, member, empty, empty[:, 0]), step) for member in pair]
    moved = link(two.superpopulation, ratio) - link(one.superpopulation, ratio)
    against = contraction(moved.var(axis=0), (prior[1] - prior[0]).var(axis=0))
    against[~behind.touched] = 0.0
    labels = label(against, np.full(len(names), np.nan), behind.margins_only)
    size = np.median(np.minimum(one.denominator, two.denominator), axis=0)
    values = two.superpopulation - one.superpopulation
    frame = _frame(
        quantity, step, names, "superpopulation", values, limits, against, against, labels, behind, size
    )
    collector.keep(frame, values, np.ones(len(names), dtype=bool))


def _minus(one: Floats, two: Floats) -> Floats:
    """Bounds of the second rate less the first."""
    return np.column_stack([two[:, 0] - one[:, 1], two[:, 1] - one[:, 0]])


def _both(behind: Behind, one: NDArray[np.int64], two: NDArray[np.int64]) -> Behind:
    a, b = _part(behind, one), _part(behind, two)
    return Behind(
        a.statements + b.statements,
        a.touched & b.touched,
        a.margins_only | b.margins_only,
        a.counted & b.counted,
        a.period_clock | b.period_clock,
        np.where(a.as_of > b.as_of, a.as_of, b.as_of),
    )


def _changes(
    collector: _Collector,
    blueprint: Blueprint,
    rows: Rows,
    step: Step,
    rates: Floats,
    counts: Floats,
    reference: Reference,
    behind: Behind,
    limits: Floats,
) -> None:
    """The last period against the one before, at every offense and jurisdiction that has both."""
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
    _differences(
        collector, "change", step, names, (rows.member[one], rows.member[two]), rates, counts, reference,
        _both(behind, one, two), _minus(limits[one], limits[two]),
    )  # fmt: skip


def _contrasts(
    collector: _Collector,
    blueprint: Blueprint,
    rows: Rows,
    step: Step,
    rates: Floats,
    counts: Floats,
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
    keep = [(child, parent) for child, parent in wanted if rows.member[parent].nnz > rows.member[child].nnz]
    if not keep:
        return
    child, parent = np.array(keep).T
    rest = sp.csr_matrix(rows.member[parent] - rows.member[child])
    rest.eliminate_zeros()
    names = rows.names[child]
    unbounded = np.column_stack([np.full(len(child), -np.inf), np.full(len(child), np.inf)])
    if step.kind == "probability":
        unbounded = np.column_stack([-np.ones(len(child)), np.ones(len(child))])
    _differences(
        collector, "contrast", step, names, (rest, rows.member[child]), rates, counts, reference,
        _part(behind, child), unbounded,
    )  # fmt: skip


def _pair(
    at: dict[tuple[str, ...], int], child: Sequence[str | None], parent: Sequence[str | None]
) -> list[tuple[int, int]]:
    if None in parent:
        return []
    one, two = at.get(tuple(map(str, child))), at.get(tuple(map(str, parent)))
    return [(one, two)] if one is not None and two is not None else []
