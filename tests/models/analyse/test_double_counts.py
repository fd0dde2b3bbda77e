"""A hundred double counts injected into coherent panels: each dropped, reduced or refused, none counted twice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from attrition.data.errors import InputError
from attrition.data.panel import Panel
from attrition.models.analyse import analyse
from attrition.models.clashes import SharedCounts
from attrition.models.contract import Analysis

from ...panels import make_panel

OFFENSES = {"csam": "all", "possession": "csam", "production": "csam", "enticement": "all"}
PLACES = {"north": "all", "n1": "north", "n2": "north", "south": "all"}
PERIODS = {"2023": "all", "2023Q1": "2023", "2023Q2": "2023", "2024": "all", "2024Q1": "2024"}
STAGES = ("referral", "investigation", "arrest")
LEAVES = (("possession", "production", "enticement"), ("n1", "n2", "south"), ("2023Q1", "2023Q2", "2024Q1"))
GROUPS = (("csam", "all"), ("north", "all"), ("2023", "2024", "all"))


def world(rng: np.random.Generator) -> np.ndarray:
    """Complete counts, (stages, cells), large enough for totals that cross."""
    counts = [rng.integers(150, 300, 27)]
    for _ in STAGES[1:]:
        counts.append(rng.binomial(counts[-1], 0.45))
    return np.array(counts)


def fact(counts, panel: Panel, stage: int, node: str, wrong: int = 0):
    return (
        STAGES[stage],
        node,
        "exact",
        float(counts[stage, panel.axes.cells(*node.split("/"))].sum() + wrong),
    )


def every() -> list[str]:
    return ["/".join(cell) for cell in product(*LEAVES)]


def by_margin(rng: np.random.Generator) -> list[str]:
    """Disjoint totals over all cells of one offense, place or period each."""
    axis = int(rng.integers(3))
    return ["/".join(leaf if k == axis else "all" for k in range(3)) for leaf in LEAVES[axis]]


def coherent(rng: np.random.Generator) -> tuple[list[str], str]:
    """Nodes told of the second stage, none of which another implies, and their form."""
    form = str(rng.choice(["cells", "totals", "part of the cells", "totals with some cells"]))
    if form == "cells":
        return every(), form
    if form == "totals":
        return by_margin(rng), form
    if form == "part of the cells":
        return [node for node in every() if rng.random() < 0.6], form
    return ["all/all/all", *(node for node in every() if rng.random() < 0.4)], form


def injected(rng: np.random.Generator, told: list[str]) -> list[str]:
    """One or two more rows, each of which shares counts with rows that are there."""
    node = str(rng.choice(told)).split("/")
    axis = int(rng.integers(3))
    up = str(rng.choice(GROUPS[axis]))
    wider = "/".join(up if k == axis else part for k, part in enumerate(node))
    choices = {
        "the row again": ["/".join(node)],
        "the total beside its parts": ["all/all/all"],
        "a year beside its quarters": ["all/all/2023"],
        "at another level": [wider],
        "by place beside by offense": ["all/north/all", "all/south/all"],
        "overlapping totals": ["csam/all/all", "all/north/all"],
        "one of each axis": ["csam/north/2023"],
    }
    name = list(choices)[int(rng.integers(len(choices)))]
    return choices[name]


def panel_of(counts, nodes, extra=(), wrong: int = 0) -> Panel:
    frame = make_panel([], OFFENSES, PLACES, PERIODS)
    facts = [fact(counts, frame, 0, node) for node in every()]
    facts += [fact(counts, frame, 1, node) for node in nodes]
    facts += [fact(counts, frame, 1, node, wrong) for node in extra]
    return make_panel(facts, OFFENSES, PLACES, PERIODS)


def analysed(panel: Panel) -> Analysis:
    return analyse(panel, {s.id: (s.count, s.count) for s in panel.statements})


def incidence(panel: Panel, stage: str) -> np.ndarray:
    """Which cells each statement of a stage is over."""
    rows = [np.isin(np.arange(27), panel.cells(s)) for s in panel.statements if s.stage == stage]
    return np.array(rows, dtype=float)


def information(analysis: Analysis, weight: np.ndarray) -> np.ndarray:
    """Information of the groups about the log odds of every cell, (cells, cells): J' V^-1 J of each group's totals."""
    out = np.zeros((27, 27))
    for group in analysis.groups:
        members = np.array([np.isin(np.arange(27), cells) for cells in group.sets], dtype=float)
        out += weighted(members, weight)
    return out


def weighted(members: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The same of some totals together, however they depend on each other: by the pseudo-inverse."""
    slope = members * weight
    return slope.T @ np.linalg.pinv(slope @ members.T, rcond=1e-10, hermitian=True) @ slope


def test_a_hundred_double_counts_are_all_caught():
    rng = np.random.default_rng(5)
    fates: dict[str, int] = {}
    for _ in range(100):
        counts = world(rng)
        nodes, _ = coherent(rng)
        before = panel_of(counts, nodes)
        whole = analysed(before)
        extra = injected(rng, nodes)
        panel = panel_of(counts, nodes, extra)
        weight = counts[0] * 0.45 * 0.55
        # A second route to what the rows can say at most: the information of all of them as one normal vector.
        most = weighted(incidence(panel, "investigation"), weight)
        alone = information(whole, weight)
        np.testing.assert_allclose(
            alone, weighted(incidence(before, "investigation"), weight), atol=1e-6 * most.max()
        )
        try:
            analysis = analysed(panel)
        except SharedCounts:
            fates["refused"] = fates.get("refused", 0) + 1
            continue
        found = information(analysis, weight)
        np.testing.assert_allclose(found, most, atol=1e-6 * most.max())
        rank = np.linalg.matrix_rank(incidence(panel, "investigation"))
        assert sum(len(g.sets) for g in analysis.groups) == rank
        used = [name for group in analysis.groups for names in group.statements for name in names]
        assert len(used) == len(set(used))
        for number in range(len(extra)):
            decision = analysis.decisions[-1 - number]
            fates[decision.action] = fates.get(decision.action, 0) + 1
            assert decision.reason
        if rank == np.linalg.matrix_rank(incidence(before, "investigation")):
            assert any(d.action == "dropped" for d in analysis.decisions)
    assert set(fates) >= {"dropped", "residual", "used"}
    assert fates["dropped"] > 20


def test_a_double_count_that_does_not_agree_is_named():
    rng = np.random.default_rng(6)
    for _ in range(20):
        counts, extra = world(rng), ["all/all/all"]
        nodes = by_margin(rng)
        with pytest.raises(InputError, match="parts") as caught:
            analysed(panel_of(counts, nodes, extra, wrong=int(rng.choice([-3, 3]))))
        assert not isinstance(caught.value, SharedCounts)
        assert "row" in str(caught.value)


def test_margins_that_cross_and_do_not_add_up_are_named():
    counts = world(np.random.default_rng(7))
    offenses = [f"{o}/all/all" for o in LEAVES[0]]
    places = [f"all/{j}/all" for j in LEAVES[1]]
    panel = panel_of(counts, [*offenses, *places[:2]], places[2:], wrong=4)
    with pytest.raises(InputError, match="cross contradict") as caught:
        analysed(panel)
    assert all(f"row {27 + k}" in str(caught.value) for k in range(6))


def test_three_totals_in_a_ring_fix_the_cells():
    """a + b, b + c and a + c are three equations in three counts, though none contains another."""
    cells = list(product("ab", "xy", ("2021", "2022")))
    counts = dict(zip(cells, range(2, 10), strict=True))
    open_cells = [("a", "x", "2021"), ("a", "y", "2022"), ("b", "x", "2022")]
    facts = [("referral", "/".join(cell), "exact", 20) for cell in cells]
    facts += [("investigation", "/".join(c), "exact", counts[c]) for c in cells if c not in open_cells]
    for place, node in enumerate(("a", "x", "2022")):
        total = sum(count for cell, count in counts.items() if node in cell)
        facts.append(
            ("investigation", "/".join(node if k == place else "all" for k in range(3)), "exact", total)
        )
    analysis = analysed(make_panel(facts, "ab", "xy", ("2021", "2022")))
    assert analysis.counts[1].tolist() == [counts[cell] for cell in cells]
    assert [d.action for d in analysis.decisions[-3:]] == ["residual"] * 3
    used = [i for g in analysis.groups for names in g.statements for i in names]
    assert len(used) == len(set(used)) == 8
    odd = [*facts[:-1], (*facts[-1][:3], facts[-1][3] + 1)]
    with pytest.raises(InputError, match="cross contradict"):
        analysed(make_panel(odd, "ab", "xy", ("2021", "2022")))
