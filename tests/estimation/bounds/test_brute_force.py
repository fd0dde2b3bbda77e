"""Bounds of random small tables against every table of whole counts: equal where exact, never narrower anywhere."""

from __future__ import annotations

from itertools import combinations, product
from math import inf

import numpy as np
import pytest
import scipy.sparse as sp

from attrition.data.axes import Axes
from attrition.data.funnel import Funnel
from attrition.data.panel import Panel
from attrition.data.statement import Statement
from attrition.estimation.bounds import Bounds
from attrition.models.analyse import analyse
from attrition.models.contract import Analysis, Group

from .conftest import axis

OFFENSES, PLACES = ("a", "b"), ("x", "y")
STAGES = ("referral", "investigation", "arrest")
SUBSETS = [np.array(cells) for size in range(1, 5) for cells in combinations(range(4), size)]
SETS = sp.csr_matrix([np.isin(np.arange(4), cells).astype(float) for cells in SUBSETS])


def tables(n: np.ndarray, steps: int) -> np.ndarray:
    """Every table of counts out of known referrals, (tables, stages, cells)."""
    chains = [
        [c for c in product([int(k)], *[range(int(k) + 1)] * steps) if list(c) == sorted(c, reverse=True)]
        for k in n
    ]
    return np.array(list(product(*chains))).transpose(0, 2, 1)


def laminar(rng: np.random.Generator) -> list[tuple[int, tuple[str, str]]]:
    """Nodes of one stage that are disjoint or nested."""
    whole = [("all", "all")] if rng.random() < 0.5 else []
    side = [(o, "all") for o in OFFENSES] if rng.random() < 0.5 else [("all", j) for j in PLACES]
    halves = [node for node in side if rng.random() < 0.6]
    cells = [(o, j) for o in OFFENSES for j in PLACES if rng.random() < 0.25]
    return [(1, node) for node in (*whole, *halves, *cells)]


def two_way(rng: np.random.Generator) -> list[tuple[int, tuple[str, str]]]:
    """Both margins of the table at one stage."""
    sides = [(o, "all") for o in OFFENSES] + [("all", j) for j in PLACES]
    return [(1, node) for node in sides if rng.random() < 0.9]


def two_stages(rng: np.random.Generator) -> list[tuple[int, tuple[str, str]]]:
    """Sums of the same cells at two stages."""
    sides = [(o, "all") for o in OFFENSES] if rng.random() < 0.5 else [("all", "all")]
    return [(stage, node) for node in sides for stage in (1, 2) if rng.random() < 0.8]


def make(axes: Axes, n: np.ndarray, truth: np.ndarray, told, steps: int) -> tuple[Panel, Analysis, list]:
    """A panel and its groups: what is told of cells and sums at the later stages, without judging their density."""
    statements, sums = [], []
    ranges = {}
    for i, k in enumerate(n):
        o, j, _ = axes.cell_names(i)
        statements.append(Statement(f"n{i}", STAGES[0], o, j, "all", "exact", float(k), file="t.csv", row=i))
        ranges[f"n{i}"] = (float(k), float(k))
    panel = Panel(Funnel(STAGES[: steps + 1], {}, {}, {}), axes, tuple(statements))
    analysis = analyse(panel, ranges)
    groups = []
    for stage, node, below, above in told:
        cells = axes.cells(*node)
        count = float(truth[stage, cells].sum())
        low, high = max(0.0, count - below), count + above
        sums.append((stage, cells, low, high))
        start = np.zeros(len(cells), dtype=np.int64)
        groups.append(
            Group(
                cells,
                start,
                n[cells].astype(float),
                start - 1,
                (stage,),
                np.array([low]),
                np.array([high]),
                ((),),
            )
        )
    return panel, Analysis(analysis.counts, analysis.known, tuple(groups), analysis.decisions), sums


def check(rng: np.random.Generator, form, slack: bool) -> int:
    """One random table: bounds of every set of cells and every step. Gives how many were informative."""
    axes = Axes(axis("offense", OFFENSES, {}), axis("jurisdiction", PLACES, {}), axis("period", (), {}))
    nodes = form(rng)
    steps = 2 if form is two_stages else 1
    n = rng.integers(0, 3 if steps == 2 else 5, 4)
    truth = [n]
    for _ in range(steps):
        truth.append(rng.binomial(truth[-1], 0.6))
    told = [(s, node, *(rng.integers(0, 2, 2) if slack else (0, 0))) for s, node in nodes]
    panel, analysis, sums = make(axes, n, np.array(truth), told, steps)
    bounds = Bounds(panel, analysis)
    allowed = tables(n, steps)
    for stage, cells, low, high in sums:
        total = allowed[:, stage][:, cells].sum(axis=1)
        allowed = allowed[(total >= low) & (total <= high)]
    informative = 0
    for a, b in combinations(range(steps + 1), 2):
        every = bounds.rates(a, b, SETS)
        for cells, found in zip(SUBSETS, every, strict=True):
            below, above = allowed[:, a][:, cells].sum(axis=1), allowed[:, b][:, cells].sum(axis=1)
            if not below.any():
                assert np.isnan(found).all()
                continue
            rates = above[below > 0] / below[below > 0]
            np.testing.assert_allclose(found, (rates.min(), rates.max()), atol=1e-9)
            informative += rates.max() - rates.min() < 1
    return informative


def run(number: int) -> None:
    rng = np.random.default_rng(5)
    forms = (laminar, two_way, two_stages)
    informative = sum(check(rng, forms[i % 3], i % 2 == 0) for i in range(number))
    assert informative > 5 * number


def test_equal_to_brute_force():
    run(100)


@pytest.mark.slow
def test_equal_to_brute_force_on_a_thousand_tables():
    run(1000)


@pytest.mark.parametrize("seed", range(3))
def test_never_narrower_where_three_margins_cross(seed):
    """Three families of sums that overlap are no network: the linear program may be wider, and never narrower."""
    rng = np.random.default_rng(seed)
    axes = Axes(axis("offense", OFFENSES, {}), axis("jurisdiction", PLACES, {}), axis("period", (), {}))
    n = rng.integers(2, 5, 4)
    truth = np.array([n, rng.binomial(n, 0.5)])
    told = [(1, ("a", "all"), 0, 1), (1, ("all", "x"), 1, 0), (1, ("all", "all"), 1, 1)]
    panel, analysis, sums = make(axes, n, truth, told, 1)
    bounds = Bounds(panel, analysis)
    allowed = tables(n, 1)
    for stage, cells, low, high in sums:
        total = allowed[:, stage][:, cells].sum(axis=1)
        allowed = allowed[(total >= low) & (total <= high)]
    for cells, (low, high) in zip(SUBSETS, bounds.rates(0, 1, SETS), strict=True):
        rates = allowed[:, 1][:, cells].sum(axis=1) / n[cells].sum()
        assert low <= rates.min() + 1e-12
        assert high >= rates.max() - 1e-12
        assert high < inf
