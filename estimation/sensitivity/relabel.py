"""Labels of a scenario that weights answer, as ``estimates`` gives them to a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...data.funnel import Step
from ...data.names import AXES
from ...models.field import FieldDraws
from ..binding import Bound, stream
from ..contraction import Reference
from ..differences import pairs_of
from ..evidence import Evidence
from ..labels import label
from ..rows import Rows, make_rows, published_steps, quantity_id
from ..store.runs import RATES, Run
from ..thinning import by_chain, take
from .scale import few_cells
from .weights import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_REFERENCE: Final = 1000  # draws behind the variances that labels are read against
_Drawn = Mapping[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Resampled:
    """Draws of a run, resampled.

    Parameters
    ----------
    cells : mapping of (step, offense, jurisdiction, period) to (R',)
        Rates of single cells, of the fewer draws that are kept of them.
    rows : mapping of quantity_id to (R,)
        All other rows.
    beside : mapping of quantity_id to (R',)
        The same, each with a draw of the cells.
    """

    cells: Mapping[tuple[str, ...], Floats]
    rows: _Drawn
    beside: _Drawn


def cells_of(
    run: Run, weights: Weights, seed: int, chains: int
) -> tuple[Mapping[tuple[str, ...], Floats], Ints]:
    """Draws of single cells by step and nodes, resampled; and which of all draws they are."""
    rate = run.draws["cells"]["rate"].transpose("chain", "draw", "step_cell")
    table = rate.to_numpy().reshape(-1, rate.sizes["step_cell"]).astype(float)
    among = by_chain(len(weights.weight), chains, len(table))
    chosen = weights.resampled(stream(seed, "reweighting cells"), among)
    keys = zip(*(rate[name].to_numpy().astype(str) for name in ("step", *AXES)), strict=True)
    return dict(zip(keys, table[chosen].T, strict=True)), among[chosen]


def relabeled(
    run: Run, two: Bound, field: FieldDraws, draws: Resampled, seed: int
) -> tuple[dict[str, str], dict[str, float]]:
    """Labels of rates and of their differences by quantity_id, and medians of single cells.

    Parameters
    ----------
    run : Run
        Whose draws were weighed.
    two : Bound
        The scenario.
    field : FieldDraws
        Resampled.
    draws : Resampled
    seed : int
    """
    blueprint = two.blueprint
    funnel = blueprint.panel.funnel
    published = set(run.estimates["quantity_id"][run.estimates["quantity"].isin(RATES)])
    rows, evidence = make_rows(blueprint.panel, blueprint.layout), Evidence(blueprint)
    some = np.linspace(0, len(field.intercept) - 1, min(len(field.intercept), _REFERENCE)).astype(int)
    weigh_cells = run.draws["cells"]["mean_count"].to_numpy().astype(float)
    reference = Reference(stream(seed, "reference"), blueprint, take(field, some), weigh_cells)
    few = few_cells(run)
    labels: dict[str, str] = {}
    medians: dict[str, float] = {}
    for quantity, step in published_steps(funnel):
        there = [name in published for name in _ids(quantity, step, rows.names)]
        here = rows.take(np.flatnonzero(there))
        if not len(here):
            continue
        behind, ids = evidence.behind(here, step), np.array(_ids(quantity, step, here.names), dtype=object)
        along = [each.name for each in funnel.steps[step.source : step.target]]
        for leaf in (False, True):
            rates = _OfCells(draws.cells, along, here) if leaf else _OfRows(draws.rows, ids)
            at = np.flatnonzero(here.leaf == leaf)
            if len(at) and (few or not leaf):
                values, part, told = rates.of(at), here.take(at), behind.take(at)
                new_unit = reference.new_unit(part, step)[0]
                against, own = reference.contractions(part.member, step, values, new_unit, told.touched)
                said = label(against, own, told.margins_only, told.unread, told.few)
                labels |= dict(zip(ids[at], map(str, said), strict=True))
                if leaf:
                    medians |= dict(zip(ids[at], np.median(values, axis=1).tolist(), strict=True))
            for all_pairs in pairs_of(blueprint, here, behind, two.answer):
                pairs = all_pairs.take(np.flatnonzero(here.leaf[all_pairs.second] == leaf))
                if not len(pairs.names):
                    continue
                names = _ids(pairs.quantity, step, pairs.names)
                second = rates.of(pairs.second)
                moved = np.stack([(draws.beside if leaf else draws.rows)[name] for name in names])
                _, said = pairs.judged(here.member, step, reference, second - moved, second)
                labels |= dict(zip(names, map(str, said), strict=True))
    return labels, medians


def _ids(quantity: str, step: Step, names: NDArray[np.object_]) -> list[str]:
    return [quantity_id(quantity, step.name, list(row), "superpopulation") for row in names]


@dataclass(frozen=True)
class _OfRows:
    """Draws of rows by their position, (N, R)."""

    drawn: _Drawn
    ids: NDArray[np.object_]

    def of(self, which: Ints) -> Floats:
        return np.stack([self.drawn[self.ids[n]].astype(float) for n in which])


@dataclass(frozen=True)
class _OfCells:
    """The same of rows that are single cells: products of the steps along the way."""

    cells: Mapping[tuple[str, ...], Floats]
    along: Sequence[str]
    rows: Rows

    def of(self, which: Ints) -> Floats:
        return np.stack(
            [
                np.prod([self.cells[each, *map(str, self.rows.names[n])] for each in self.along], axis=0)
                for n in which
            ]
        )
