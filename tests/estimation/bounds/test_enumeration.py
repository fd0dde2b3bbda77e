"""Bounds against every table of counts that the statements allow."""

from __future__ import annotations

from itertools import combinations, product
from math import inf

import numpy as np
import pytest

from attrition.data.panel import Panel
from attrition.estimation.bounds import Bounds
from attrition.models.analyse import analyse
from attrition.models.clashes import SharedCounts

STAGES = ("referral", "investigation", "arrest")
LIMIT = 3  # largest referral count in these worlds
CELLS = 3


def tables(panel: Panel, ranges: dict) -> np.ndarray:
    """Every monotone table of counts that satisfies all statements, (tables, stages, cells)."""
    size = len(panel.funnel.stages)
    paths = [p for p in product(range(LIMIT + 1), repeat=size) if list(p) == sorted(p, reverse=True)]
    found = np.array(list(product(paths, repeat=CELLS))).transpose(0, 2, 1)
    keep = np.ones(len(found), dtype=bool)
    for statement in panel.statements:
        low, high = ranges[statement.id]
        total = found[:, panel.funnel.index(statement.stage)][:, panel.cells(statement)].sum(axis=1)
        keep &= (total >= low) & (total <= high)
    return found[keep]


def ends(allowed: np.ndarray, a: int, b: int, cells: np.ndarray) -> tuple[float, float]:
    """Least and greatest rate over the tables whose denominator is at least 1."""
    below, above = allowed[:, a][:, cells].sum(axis=1), allowed[:, b][:, cells].sum(axis=1)
    rates = above[below > 0] / below[below > 0]
    return (float(rates.min()), float(rates.max())) if rates.size else (np.nan, np.nan)


SUBSETS = [np.array(c) for k in range(1, CELLS + 1) for c in combinations(range(CELLS), k)]


def facts_of(rng: np.random.Generator, truth: np.ndarray, gaps: float) -> list[tuple]:
    """True statements of several forms, at most one node and stage each."""
    nodes = {"a": [0], "b": [1], "c": [2], "g": [0, 1], "all": [0, 1, 2]}
    facts = [
        ("referral", n, truth[0, c].sum(), truth[0, c].sum())
        for n, c in nodes.items()
        if len(c) == 1 and rng.random() >= gaps
    ]
    if rng.random() < gaps:
        facts.append(("referral", "all", truth[0].sum(), truth[0].sum()))
    for _ in range(int(rng.integers(1, 5))):
        s, name = int(rng.integers(1, len(truth))), str(rng.choice(list(nodes)))
        value = float(truth[s, nodes[name]].sum())
        low, high = [(value, value), (max(0.0, value - 1), value + 1), (value, inf)][int(rng.integers(0, 3))]
        facts.append((STAGES[s], name, low, high))
    return facts


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_never_narrower_than_what_the_statements_allow(build, gaps):
    rng = np.random.default_rng(11)
    checked = informative = 0
    for _ in range(40):
        truth = [rng.integers(0, LIMIT + 1, CELLS)]
        for _ in STAGES[1:]:
            truth.append(rng.binomial(truth[-1], 0.5))
        panel, ranges = build(
            facts_of(rng, np.array(truth, dtype=float), gaps), tuple("abc"), parents={"a": "g", "b": "g"}
        )
        try:
            bounds = Bounds(panel, analyse(panel, ranges))
        except SharedCounts:
            continue
        allowed = tables(panel, ranges)
        cell = bounds.cell_bounds
        assert (cell[..., 0] <= allowed.min(axis=0)).all()
        assert (cell[..., 1] >= allowed.max(axis=0)).all()
        for a, b in combinations(range(len(STAGES)), 2):
            for cells in SUBSETS:
                low, high = ends(allowed, a, b, cells)
                found = bounds.rate(a, b, cells)
                if np.isnan(low):
                    assert np.isnan(found).all() or gaps > 0
                    continue
                assert found[0] <= low + 1e-12
                assert high <= found[1] + 1e-12
                assert found[1] <= 1
                checked += 1
                informative += found[1] - found[0] < 1
            one = bounds.cell_rates(a, b)
            assert np.array_equal(
                one, np.array([bounds.rate(a, b, np.array([k])) for k in range(CELLS)]), equal_nan=True
            )
    assert checked > 300
    assert informative > checked / 5


def test_equal_to_what_a_single_total_allows(build):
    rng = np.random.default_rng(12)
    for _ in range(12):
        n = rng.integers(0, LIMIT + 1, CELLS)
        total = float(rng.binomial(n, 0.5).sum())
        facts = [("referral", node, float(k), float(k)) for node, k in zip("abc", n, strict=True)]
        panel, ranges = build(
            [*facts, ("investigation", "all", total, total)], tuple("abc"), stages=STAGES[:2]
        )
        bounds = Bounds(panel, analyse(panel, ranges))
        allowed = tables(panel, ranges)
        for cells in SUBSETS:
            assert bounds.rate(0, 1, cells) == pytest.approx(ends(allowed, 0, 1, cells), nan_ok=True)


def test_equal_to_what_ranges_of_disjoint_cells_allow(build):
    rng = np.random.default_rng(13)
    for _ in range(12):
        n = rng.integers(1, LIMIT + 1, CELLS)
        facts = [("referral", node, float(k), float(k)) for node, k in zip("abc", n, strict=True)]
        facts += [("investigation", "a", 1.0, 2.0), ("investigation", "g", 1.0, 5.0)][rng.integers(0, 2) :][
            :1
        ]
        panel, ranges = build(facts, tuple("abc"), stages=STAGES[:2], parents={"a": "g", "b": "g"})
        bounds = Bounds(panel, analyse(panel, ranges))
        allowed = tables(panel, ranges)
        for cells in SUBSETS:
            assert bounds.rate(0, 1, cells) == pytest.approx(ends(allowed, 0, 1, cells))
