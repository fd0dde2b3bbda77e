"""Cells and rows worked out a few draws at a time are those worked out at once."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import betabinom

from attrition.estimation import thinning
from attrition.estimation.celldraws import draw_cells
from attrition.estimation.completion import complete
from attrition.estimation.engines.nuts import aim
from attrition.estimation.rows import evaluate, make_rows
from attrition.estimation.sections import EstimateSpec
from attrition.estimation.silent import Shift
from attrition.models.field import FieldDraws

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


def test_beta_binomial_counts_are_those_of_the_rates_drawn_beside_them():
    """A silent cell of 1,000 units: its count is beta-binomial, and given its own rate binomial."""
    facts = [
        ("referral", "a/N", "exact", 1000),
        ("investigation", "a/N", "exact", 120),
        ("referral", "a/S", "exact", 1000),
    ]
    panel = make_panel(facts, "a", ("N", "S"), stages=("referral", "investigation"))
    blueprint = bind(panel, ["intercept", {"kind": "cell", "form": "beta_binomial"}])
    size, level, concentration = 4000, -2.0, 10.0
    draws = FieldDraws(np.full((size, 1), level), {}, {}, np.ones((size, 1)), np.full(size, concentration))
    drawn = draw_cells(1, blueprint, draws, Shift(0.0))
    rate, finite = drawn.rates[:, 0, 1].astype(float), drawn.counts[:, 1, 1] / 1000
    law = betabinom(1000, concentration * expit(level), concentration * expit(-level))
    assert finite.mean() == pytest.approx(law.mean() / 1000, abs=0.006)
    assert finite.std() == pytest.approx(law.std() / 1000, rel=0.06)
    # Standardized by its own rate each count has mean 0 and variance 1.
    apart = (finite - rate) / np.sqrt(np.maximum(rate * (1 - rate), 1e-12) / 1000)
    inside = rate > 0.01
    assert apart[inside].mean() == pytest.approx(0, abs=0.07)
    assert apart[inside].std() == pytest.approx(1, abs=0.06)
    eta = blueprint.predictor(draws)
    with pytest.raises(ValueError, match="cell_rates"):
        complete(np.random.default_rng(1), blueprint, eta, draws)


@pytest.mark.parametrize("silent", [False, True])
def test_rows_are_what_each_draw_gives_by_hand(silent):
    blueprint, draws = world(silent)
    drawn, member = (
        draw_cells(1, blueprint, draws, Shift(0.0)),
        make_rows(blueprint.panel, blueprint.layout).member,
    )
    step = blueprint.panel.funnel.end_to_end
    whole = evaluate(member, drawn.step(step))
    assert whole.denominator.shape[1] == 1 or silent
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
