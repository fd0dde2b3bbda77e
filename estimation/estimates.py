"""The table of published quantities: every row with its interval, bounds, contractions, label and evidence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import ROOT
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from .aside import Aside
from .blocks import Block, Collector, block_of, finer_rows
from .bounds import Bounds
from .contraction import Reference
from .differences import differences, pairs_of
from .ever import Ever, extrapolates
from .evidence import ROWS_AT_ONCE, Behind, Evidence
from .labels import COUNTED, label
from .rows import (
    Bools,
    CellDraws,
    Floats,
    Reals,
    Rows,
    StepDraws,
    evaluate,
    make_rows,
    published_steps,
)
from .so_far import so_far

# Numbers of the draws of the rows that are worked on at a time.
_AT_ONCE = 800_000


@dataclass(frozen=True)
class Estimates:
    """The table, and the draws of the published aggregates.

    Parameters
    ----------
    table : DataFrame
        Columns of ``data.names.ESTIMATE_COLUMNS``.
    aggregate_ids : list of str
    aggregates : Aside, (R, Q)
        Draws of every row that is not a single cell.
    """

    table: pd.DataFrame
    aggregate_ids: list[str]
    aggregates: Aside


def estimates(
    blueprint: Blueprint,
    draws: FieldDraws,
    rates: Reals,
    counts: Floats,
    rng: np.random.Generator,
    answer: tuple[str, str],
    cells: bool = True,
    crossed: int = 3,
    unknown: Mapping[str, Floats] | None = None,
    folder: Path | None = None,
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
    crossed : int
        Publish rows that lie below the root on at most so many axes; the front table is always published.
    unknown : mapping of str to (R, …), optional
        What the kinds do not know, of the R draws; that of ``draws`` unless given.
    folder : Path, optional
        Where draws are put aside.
    """
    rows = make_rows(blueprint.panel, blueprint.layout)
    if not cells:
        rows = rows.take(~rows.leaf)
    rows = rows.take(_near_root(rows, crossed, answer))
    drawn = CellDraws(rates, counts)
    reference = Reference(rng, blueprint, draws, drawn.mean_counts())
    evidence, bounds = Evidence(blueprint), Bounds(blueprint.panel, blueprint.analysis)
    # A stream of its own: the other numbers are the same with and without it.
    late = None
    if extrapolates(blueprint):
        known = draws.unknown if unknown is None else unknown
        late = Ever(rng.spawn(1)[0], blueprint, known, rates, counts)
    collector = Collector(len(rates), folder)
    published = published_steps(blueprint.panel.funnel)
    new_units = reference.new_unit(rows, *(step for _, step in published))
    cores, few_rows = os.cpu_count() or 1, max(_AT_ONCE // len(rates), 100)
    with ThreadPoolExecutor(cores) as threads:
        for (quantity, step), new_unit in zip(published, new_units, strict=True):
            reached = np.flatnonzero(rows.member @ np.isfinite(counts[0, step.source]).astype(float) > 0)
            here = rows.take(reached)
            behind = evidence.behind(here, step)
            limits = _bounds(bounds, blueprint, here, step)
            at_step = drawn.step(step)
            look = partial(
                _evaluated, quantity, here, step, at_step, reference, behind, limits, new_unit[reached]
            )
            chunks = [np.arange(k, min(k + few_rows, len(here))) for k in range(0, len(here), few_rows)]
            # As many at a time as cores, lest all of them wait in memory.
            for start in range(0, len(chunks), cores):
                for found in threads.map(look, chunks[start : start + cores]):
                    for block in found:
                        collector.keep(*block)
            for pairs in pairs_of(blueprint, here, behind, answer):
                differences(collector, pairs, here, step, at_step, reference, limits)
            so_far(collector, blueprint, here, step, behind)
            if late is not None:
                late.rows(collector, here, step, reference, behind, limits)
    for finer in finer_rows(blueprint, answer):
        collector.add(finer)
    # Before the table is put together: draws of the prior take as much as it does.
    del reference, look
    return Estimates(collector.table(), collector.ids, collector.aggregates)


_Kept = tuple[Block, Reals, Bools]


def _evaluated(
    quantity: str,
    rows: Rows,
    step: Step,
    cells: StepDraws,
    reference: Reference,
    behind: Behind,
    limits: Floats,
    new_unit: Floats,
    part: NDArray[np.int64],
) -> list[_Kept]:
    """Some of the rows, on every basis: blocks of the table, with their draws and which of them are aggregates.

    How far the data moved each is told against the prior, and against a new unit.
    """
    rows, behind, limits = rows.take(part), behind.take(part), limits[part]
    values = evaluate(rows.member, cells)
    against, own = reference.contractions(
        rows.member, step, values.superpopulation, new_unit[part], behind.touched
    )
    labels = label(against, own, behind.margins_only, behind.unread, behind.few)
    size = np.median(values.denominator, axis=1)
    block = block_of(
        quantity, step, rows.names, "superpopulation", values.superpopulation, limits, against, own, labels,
        behind, size,
    )  # fmt: skip
    found: list[_Kept] = [(block, values.superpopulation, ~rows.leaf)]
    # A same-period ratio has no finite population: outcomes of the period are not those of its referrals. Neither has
    # a row whose units are shares by a mix, hold other cases, or are unknown: they weight rates and are no counts.
    drawn = ~behind.period_clock & ~behind.without_units
    finite = np.flatnonzero(drawn & np.isfinite(values.finite).all(axis=1))
    if not len(finite):
        return found
    behind = behind.take(finite)
    labels = np.where(behind.counted, COUNTED, labels[finite]).astype(object)
    block = block_of(
        quantity, step, rows.names[finite], "finite", values.finite[finite], limits[finite],
        against[finite], own[finite], labels, behind, size[finite],
    )  # fmt: skip
    return [*found, (block, values.finite[finite], ~rows.leaf[finite])]


def _near_root(rows: Rows, crossed: int, answer: tuple[str, str]) -> Bools:
    """Rows below the root on few axes, and those of the front table."""
    below = (rows.names != ROOT).sum(axis=1)
    front = (rows.names[:, 1:] == np.array(answer, dtype=object)).all(axis=1)
    return (below <= crossed) | front


def _bounds(bounds: Bounds, blueprint: Blueprint, rows: Rows, step: Step) -> Floats:
    """No-assumption bounds of the finite-population rate of each row, (N, 2)."""
    layout, found = blueprint.layout, [np.zeros((0, 2))]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        entries = rows.member[start : start + ROWS_AT_ONCE].tocoo()
        shape = (entries.shape[0], int(np.prod(layout.shape)))
        member = sp.csr_matrix((entries.data, (entries.row, layout.cells[entries.col])), shape=shape)
        found.append(bounds.rates(step.source, step.target, member))
    return np.concatenate(found)
