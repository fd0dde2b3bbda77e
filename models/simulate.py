"""A panel of the same shape with known truth: every statement as the same rule of reporting would have made it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from ..data.statement import Statement
from . import catalogue
from .blueprint import Blueprint
from .contract import PartKind, ReportKind
from .expected import expected
from .field import FieldDraws
from .forward import Forward
from .unsplit import Layer, layer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Twin:
    """A simulated panel and its truth.

    Parameters
    ----------
    panel : Panel
        The statements of the panel it was made after, with the same ids and cells.
    counts : (S + 1, A)
        Complete counts of the funnel's own cases; NaN before a cell's first known count.
    rates : (S, A)
        On their natural scale; of an unsplit total its own.
    draws : FieldDraws
        The truth, R = 1: published rows of it are evaluated as those of any draw.
    """

    panel: Panel
    counts: Floats
    rates: Floats
    draws: FieldDraws


def simulate_panel(rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws | None = None) -> Twin:
    """A panel of the same shape with known truth.

    Denominators are taken over as they are: the first stage, and counts of cells for which none is known before.
    Statements that stand nowhere or that no kind reads are taken over too.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws, optional
        With R = 1; a draw from the prior where it is left out.
    """
    truth = blueprint.prior_draws(rng, 1) if draws is None else draws
    forward = Forward(rng, blueprint, truth)
    statements = replicate(rng, blueprint, forward)
    return Twin(replace(blueprint.panel, statements=statements), forward.counts(), forward.rates, truth)


def complete_counts(
    rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws, first: Floats
) -> tuple[Floats, Floats]:
    """Complete counts of every active cell under one draw of the field.

    Parameters
    ----------
    draws : FieldDraws
        With R = 1.
    first : (A,)
        Counts at the first stage; NaN where it is unknown. Such a cell begins with its first known count.

    Returns
    -------
    counts : (S + 1, A)
        NaN before a cell's first known count.
    rates : (S, A)
    """
    forward = Forward(rng, blueprint, draws, first)
    return forward.counts(), forward.rates


def replicate(rng: np.random.Generator, blueprint: Blueprint, forward: Forward) -> tuple[Statement, ...]:
    """The statements that the same reporting rules would have made of other complete counts, in the same order."""
    panel = blueprint.panel
    published = _published(rng, blueprint, forward)
    tables: dict[Layer, _Table] = {}
    partly = _partly(rng, blueprint, forward)
    out = []
    for statement in panel.statements:
        names = blueprint.statement_kinds.get(statement.id)
        if names is None:
            out.append(statement)
            continue
        kind = catalogue.kind(names[0])
        assert isinstance(kind, ReportKind)
        settings = blueprint.kind_settings[kind.name]
        if kind.soft:
            out.append(published.get(statement.id, statement))
            continue
        key = layer(statement)
        if key not in tables:
            tables[key] = _Table(blueprint, forward, key)
        count = partly.get(statement.id, tables[key].count(statement))
        out.append(statement if count is None else kind.replicate(rng, count, statement, settings))
    return tuple(out)


def _partly(rng: np.random.Generator, blueprint: Blueprint, forward: Forward) -> dict[str, float]:
    """Counts of statements that do not hold the whole of what happened."""
    layout, panel = blueprint.layout, blueprint.panel
    counts = np.full((len(panel.funnel.stages), int(np.prod(layout.shape))), np.nan)
    counts[:, layout.cells] = forward.counts()
    rates = np.full((layout.steps, counts.shape[1]), np.nan)
    rates[:, layout.cells] = forward.rates
    out: dict[str, float] = {}
    for kind in catalogue.kinds():
        if isinstance(kind, PartKind):
            settings = blueprint.kind_settings[kind.name]
            out |= kind.recount(rng, panel, counts, rates, settings, forward.draws.unknown)
    return out


class _Table:
    """Counts of one layer, of every cell of the axes.

    Cells without a known count at any stage keep what was said of them, so that sums that hold some of them still
    agree with one another.
    """

    def __init__(self, blueprint: Blueprint, forward: Forward, key: Layer) -> None:
        panel, layout = blueprint.panel, blueprint.layout
        size = int(np.prod(layout.shape))
        self._counts = np.full((len(panel.funnel.stages), size), np.nan)
        self._counts[:, layout.cells] = forward.counts(key)
        self._begins = np.full(size, -1, dtype=np.int64)
        self._begins[layout.cells] = forward.begins(key)
        self._parts = panel.arrangement.parts if panel.arrangement is not None else {}
        self._panel = panel
        self._said = np.where(np.isnan(self._counts), np.nan, 0.0)
        read = [s for s in panel.statements if s.id in blueprint.statement_kinds]
        exact = [s for s in read if s.relation == "exact" and layer(s) == key]
        for statement in sorted(exact, key=lambda s: len(panel.cells(s))):
            self._keep(statement)

    def _keep(self, statement: Statement) -> None:
        cells, stage = self._panel.cells(statement), self._panel.funnel.index(statement.stage)
        if stage == 0 or statement.count is None or np.isfinite(self._counts[stage, cells]).any():
            return
        open_cells = cells[np.isnan(self._said[stage, cells])]
        if len(open_cells):
            left = statement.count - np.nansum(self._said[stage, cells])
            self._said[stage, open_cells] = 0.0
            self._said[stage, open_cells[0]] = max(left, 0.0)

    def count(self, statement: Statement) -> float | None:
        """The count a statement speaks of; None where it was given and not drawn, or is of units that stopped."""
        if statement.closed:
            return None
        cells, stage = self._panel.cells(statement), self._panel.funnel.index(statement.stage)
        drawn = np.isfinite(self._counts[stage, cells])
        given = stage == 0 or (self._begins[cells] == stage).all()
        if not drawn.any() or (given and statement.id not in self._parts):
            return None
        return float(
            np.where(drawn, self._counts[stage, cells], np.nan_to_num(self._said[stage, cells])).sum()
        )


def _published(rng: np.random.Generator, blueprint: Blueprint, forward: Forward) -> dict[str, Statement]:
    """Published rates, each drawn around the rate that its cells have."""
    out: dict[str, Statement] = {}
    for batch in blueprint.batches:
        kind = catalogue.kind(batch.report)
        assert isinstance(kind, ReportKind)
        if not kind.soft:
            continue
        settings = blueprint.kind_settings[kind.name]
        gathered = blueprint.gathered(batch, forward.eta[None], forward.draws.unknown)
        mean = expected(blueprint, batch, gathered, forward.draws)
        _, middles = kind.published(rng, mean, batch, settings)
        for row, number in enumerate(batch.groups):
            for name in blueprint.analysis.groups[number].statements[0]:
                told = blueprint.panel.by_id[name]
                out[name] = kind.restated(told, float(middles[0, row]), batch.row(row), settings)
    return out
