"""Cells and rows worked out a few draws at a time are those worked out at once."""

import numpy as np
import pytest

from attrition.estimation import rows, thinning
from attrition.estimation.celldraws import draw_cells
from attrition.estimation.engines.nuts import aim
from attrition.estimation.rows import evaluate, make_rows
from attrition.estimation.sections import EstimateSpec
from attrition.estimation.silent import Shift

from ..panels import bind, make_panel


def world(silent: bool):
    """Two offenses in two places; where one is silent its counts are drawn."""
    facts = []
    for number, node in enumerate(("a/NE", "b/NE", "a/NY", "b/NY")):
        facts.append(("referral", node, "exact", 20 + number))
        if not silent or number:
            facts += [("investigation", node, "exact", 9 + number), ("arrest", node, "exact", 2 + number)]
    blueprint = bind(make_panel(facts, "ab", ("NE", "NY")), ["intercept", "offense", "cell"])
    return blueprint, blueprint.prior_draws(np.random.default_rng(1), 50)


def test_counts_that_are_known_are_kept_once(monkeypatch):
    blueprint, draws = world(silent=False)
    whole = draw_cells(1, blueprint, draws, Shift(0.0))
    monkeypatch.setattr(thinning, "_IN_MEMORY", 1)
    parts = draw_cells(1, blueprint, draws, Shift(0.0))
    np.testing.assert_array_equal(parts.rates, whole.rates)
    assert (whole.counts.shape, whole.counts.strides[0]) == ((50, 3, 4), 0)
    np.testing.assert_array_equal(parts.counts, whole.counts)


@pytest.mark.parametrize("silent", [False, True])
def test_rows_do_not_depend_on_how_many_draws_are_summed_together(monkeypatch, silent):
    blueprint, draws = world(silent)
    drawn, member = (
        draw_cells(1, blueprint, draws, Shift(0.0)),
        make_rows(blueprint.panel, blueprint.layout).member,
    )
    step = blueprint.panel.funnel.end_to_end
    whole = evaluate(member, drawn.step(step))
    assert whole.denominator.shape[1] == 1 or silent
    monkeypatch.setattr(rows, "_AT_ONCE", 1)
    parts = evaluate(member, drawn.step(step))
    for name in ("superpopulation", "finite", "denominator"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)
    # By hand, draw by draw.
    path = drawn.rates.astype(float).prod(axis=1)
    weight = np.broadcast_to(drawn.counts[:, 0], path.shape)
    np.testing.assert_allclose(
        whole.superpopulation, ((weight * path) @ member.T / (weight @ member.T)).T, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("cells", "draws"),
    [(10_000, 6_000), (35_840, 1_674), (60_001, 1_600), (150_000, 1_600), (200_000, 1_200), (1_000_000, 400)],
)
def test_as_many_draws_are_looked_at_as_the_gates_ask_for_while_they_fit(cells, draws):
    gate = aim(EstimateSpec()).ess
    assert thinning.most_draws(cells) == draws
    assert draws >= gate or cells > 240_000
