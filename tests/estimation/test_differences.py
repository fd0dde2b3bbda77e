"""Contrasts of a node with its siblings: what is left of a sum is the sum of what is left."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from attrition.data.names import ROOT
from attrition.estimation.blocks import Collector
from attrition.estimation.contraction import Reference, contraction
from attrition.estimation.differences import differences, pairs_of
from attrition.estimation.evidence import Evidence
from attrition.estimation.rows import CellDraws, evaluate, link, make_rows

from ..panels import bind, make_panel

PLACES = ("A", "B", "C")
ANSWER = (ROOT, ROOT)


def world(sizes):
    facts = [
        (stage, f"{offense}/{place}", "exact", count)
        for (offense, place), n in sizes.items()
        for stage, count in (("referral", n), ("investigation", n // 3))
    ]
    return bind(make_panel(facts, "xy", PLACES), ["intercept", "offense", "jurisdiction"])


SIZES = {(o, p): 10 + 7 * k for k, (o, p) in enumerate((o, p) for o in "xy" for p in PLACES)}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="every part has units"),
        pytest.param({("x", "A"): 10_000_000}, id="next to nothing is left beside a large part"),
        pytest.param({("y", p): 0 for p in PLACES}, id="what is left has no units"),
    ],
)
def test_the_rest_is_what_its_own_cells_give(changed):
    rng = np.random.default_rng(1)
    blueprint = world(SIZES | changed)
    layout = blueprint.layout
    draws = blueprint.prior_draws(rng, 40)
    rates = rng.beta(2, 3, (40, layout.steps, layout.size))
    counts = np.broadcast_to(blueprint.analysis.counts[:, layout.cells], (40, layout.steps + 1, layout.size))
    drawn = CellDraws(rates, counts)
    reference, rows = (
        Reference(rng, blueprint, draws, drawn.mean_counts()),
        make_rows(blueprint.panel, layout),
    )
    step = blueprint.panel.funnel.steps[0]
    behind, collector = Evidence(blueprint).behind(rows, step), Collector(40)
    (pairs,) = pairs_of(blueprint, rows, behind, ANSWER)
    differences(collector, pairs, rows, step, drawn.step(step), reference, np.zeros((len(rows), 2)))
    found = collector.table()
    assert set(zip(found["offense"], found["jurisdiction"], strict=True)) == {
        *((o, ROOT) for o in "xy"),
        *((ROOT, p) for p in PLACES),
    }
    values = collector.aggregates
    for number, row in enumerate(found.itertuples()):
        child = rows.find(row.offense, row.jurisdiction, row.period)
        rest = sp.csr_matrix(rows.member[rows.find(ROOT, ROOT, ROOT)] - rows.member[child])
        rest.eliminate_zeros()
        pair = [evaluate(member, drawn.step(step)).superpopulation for member in (rows.member[child], rest)]
        np.testing.assert_allclose(values[:, number], (pair[0] - pair[1])[0], rtol=1e-5)
        prior = np.subtract(*(reference.prior(member, step) for member in (rows.member[child], rest)))
        moved = link(pair[0], ratio=False) - link(pair[1], ratio=False)
        expected = contraction(moved.var(axis=1), prior.var(axis=1))[0] if behind.touched[child] else 0.0
        np.testing.assert_allclose(row.contraction, expected, rtol=1e-7, atol=1e-9)
