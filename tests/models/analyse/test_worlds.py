"""Random worlds whose counts are complete, told through random true statements."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise, product
from math import factorial, inf, prod

import numpy as np
import pytest

from attrition.data.axes import Axes
from attrition.data.panel import Panel
from attrition.models.analyse import analyse
from attrition.models.clashes import SharedCounts
from attrition.models.contract import Analysis

STAGES = ("referral", "investigation", "arrest", "conviction")
TREE = {"g": "all", "a": "g", "b": "g", "c": "all"}
PLACES = {"x": "all", "y": "all"}


def nodes(axes: Axes) -> list[str]:
    """All nodes as facts name them."""
    return [f"{o}/{j}" for o in axes.offense.by_name for j in axes.jurisdiction.by_name]


def tell(rng: np.random.Generator, truth: np.ndarray, axes: Axes, gaps: float, much: int) -> list[tuple]:
    """Random true statements: denominators but for some gaps, then exact sums, ranges and lower bounds."""
    names = nodes(axes)
    cells = {name: axes.cells(*name.split("/")) for name in names}
    leaves = [name for name in names if cells[name].size == 1]
    facts = [
        ("referral", name, truth[0, cells[name]].sum(), truth[0, cells[name]].sum())
        for name in leaves
        if rng.random() >= gaps
    ]
    for _ in range(much):
        s = int(rng.integers(1 if gaps == 0 else 0, len(truth)))
        name = str(rng.choice(leaves if rng.random() < 0.6 else names))
        value = float(truth[s, cells[name]].sum())
        form = rng.choice(["exact", "exact", "range", "least"])
        low = value if form == "exact" else max(0.0, value - rng.integers(0, 3))
        high = {"exact": value, "range": value + rng.integers(0, 3), "least": inf}[str(form)]
        facts.append((STAGES[s], name, low, high))
    return facts


def world(rng: np.random.Generator, cells: int, most: int, depth: int) -> np.ndarray:
    """Complete counts, (stages, cells)."""
    truth = [rng.integers(0, most + 1, size=cells)]
    for _ in range(depth):
        truth.append(rng.binomial(truth[-1], rng.uniform(0.2, 0.9)))
    return np.array(truth, dtype=float)


def hold(analysis: Analysis, truth: np.ndarray) -> None:
    """The truth satisfies everything the analysis says."""
    known = ~np.isnan(analysis.counts)
    assert (analysis.counts[known] == truth[known]).all()
    for fact in analysis.known:
        assert truth[fact.stage, fact.cell] == fact.count
        assert fact.statements
    for group in analysis.groups:
        beyond = np.where(group.end >= 0, truth[group.end, group.cells], 0.0)
        assert (truth[group.start, group.cells] - beyond == group.n).all()
        assert (group.n > 0).all()
        assert (group.start < group.stages[0]).all()
        assert ((group.end == -1) | (group.end > group.stages[-1])).all()
        for stage, low, high in zip(group.stages, group.low, group.high, strict=True):
            assert low <= (truth[stage, group.cells] - beyond).sum() <= high


def test_true_statements_never_contradict_and_the_truth_satisfies_every_group(build):
    rng = np.random.default_rng(20)
    refused = 0
    for i in range(600):
        stages = STAGES[: 2 + i % 3]
        frame, _ = build([], TREE, PLACES, stages)
        truth = world(rng, 6, 12, len(stages) - 1)
        facts = tell(rng, truth, frame.axes, 0.15 * (i % 2), int(rng.integers(1, 9)))
        panel, ranges = build(facts, TREE, PLACES, stages)
        try:
            analysis = analyse(panel, ranges)
        except SharedCounts:
            refused += 1
            continue
        hold(analysis, truth)
        assert [d.statement for d in analysis.decisions] == list(ranges)
        assert all(d.reason for d in analysis.decisions)
        used = [i for group in analysis.groups for ids in group.statements for i in ids]
        assert len(used) == len(set(used))
        spoken = {d.statement for d in analysis.decisions if d.action in ("used", "residual")}
        assert spoken == set(used)
    assert refused < 150


def paths(n: int, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every (N_1, …, N_D) that n units can take, with its probability; p the rates of the D steps."""
    found = [c[::-1] for c in combinations_with_replacement(range(n + 1), p.size)]
    chance = []
    for counts in found:
        steps = pairwise((n, *counts))
        chance.append(
            prod(
                factorial(a) // (factorial(b) * factorial(a - b)) * r**b * (1 - r) ** (a - b)
                for (a, b), r in zip(steps, p, strict=True)
            )
        )
    return np.array(found), np.array(chance)


def joint(panel: Panel, ranges: dict, truth: np.ndarray, p: np.ndarray) -> float:
    """Probability of all statements given the referrals, over every complete table."""
    by_cell = [paths(int(truth[0, k]), p[:, k]) for k in range(truth.shape[1])]
    index = np.array(list(product(*(range(len(c)) for _, c in by_cell))))
    chance = np.prod([by_cell[k][1][index[:, k]] for k in range(len(by_cell))], axis=0)
    inside = np.ones(len(index), dtype=bool)
    for statement in panel.statements:
        s = panel.funnel.index(statement.stage)
        low, high = ranges[statement.id]
        if s > 0:
            total = sum(by_cell[k][0][index[:, k], s - 1] for k in panel.cells(statement).tolist())
            inside &= (total >= low) & (total <= high)
    return float(chance[inside].sum())


def density(analysis: Analysis, p: np.ndarray) -> float:
    """Product of the groups' densities, each by enumeration of what its contract says."""
    value = 1.0
    for group in analysis.groups:
        cells = []
        for k, a, n, b in zip(group.cells, group.start, group.n, group.end, strict=True):
            cuts = [int(a), *group.stages, *([int(b)] if b >= 0 else [])]
            reach = np.cumprod([1.0, *(p[i:j, k].prod() for i, j in pairwise(cuts))])
            stay = np.append(reach[:-1] - reach[1:], [] if b >= 0 else reach[-1])
            stay /= stay.sum()  # of the units that do not reach ``end``
            tail = np.cumsum(stay[::-1])[::-1]
            cells.append(paths(int(n), tail[1:] / tail[:-1]))
        index = np.array(list(product(*(range(len(c)) for _, c in cells))))
        chance = np.prod([c[index[:, i]] for i, (_, c) in enumerate(cells)], axis=0)
        totals = sum(counts[index[:, i]] for i, (counts, _) in enumerate(cells))
        inside = ((totals >= group.low) & (totals <= group.high)).all(axis=1)
        value *= float(chance[inside].sum())
    return value


def test_the_groups_together_give_the_probability_of_all_statements(build):
    rng = np.random.default_rng(7)
    met: set[str] = set()
    for i in range(250):
        stages = STAGES[: 3 + i % 2]
        frame, _ = build([], TREE, None, stages)
        truth = world(rng, 3, 3, len(stages) - 1)
        p = rng.uniform(0.1, 0.9, size=(len(stages) - 1, 3))
        facts = tell(rng, truth, frame.axes, 0.0, int(rng.integers(2, 7)))
        panel, ranges = build(facts, TREE, None, stages)
        try:
            analysis = analyse(panel, ranges)
        except SharedCounts:
            continue
        assert density(analysis, p) == pytest.approx(joint(panel, ranges, truth, p), rel=1e-9)
        met |= {"chain" for g in analysis.groups if len(g.stages) > 1 and g.cells.size > 1}
        met |= {"end" for g in analysis.groups if (g.end >= 0).any()}
        met |= {"range" for g in analysis.groups if (g.low < g.high).any()}
        met |= {d.action for d in analysis.decisions}
    assert met >= {"chain", "end", "range", "used", "residual", "dropped", "known"}
