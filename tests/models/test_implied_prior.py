"""What the priors of a plan say of a rate, before any data."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models import explain
from attrition.models.explain import implied_prior

from ..panels import bind, make_panel

FACTS = [
    fact
    for place in "ABC"
    for fact in (("referral", f"/{place}", "exact", 90), ("investigation", f"/{place}", "exact", 30))
]


@pytest.fixture(scope="module")
def blueprint():
    return bind(make_panel(FACTS, (), tuple("ABC")), ["intercept", "jurisdiction"])


def test_the_rate_of_all_cells_is_their_mean_under_draws_of_the_prior(blueprint):
    found = implied_prior(blueprint, np.random.default_rng(1))
    step = blueprint.panel.funnel.steps[0].name
    eta = blueprint.predictor(blueprint.prior_draws(np.random.default_rng(2), 4000))
    rates = 1 / (1 + np.exp(-eta[:, 0]))
    for key, values in ((step, rates[:, 0]), (f"root:{step}", rates.mean(axis=1))):
        expected = np.quantile(values, [0.025, 0.5, 0.975])
        ranks = [np.mean(values < found[key][name]) for name in ("q025", "q50", "q975")]
        # 400 draws of the whole: a quantile stands within 4 of its own standard errors.
        error = 4 * np.sqrt(np.array([0.025, 0.5, 0.975]) * np.array([0.975, 0.5, 0.025]) / 400)
        assert (np.abs(np.array(ranks) - [0.025, 0.5, 0.975]) < error).all(), (key, expected)


def test_many_cells_are_drawn_a_few_draws_at_a_time(blueprint, monkeypatch):
    sizes = []
    drawn = type(blueprint).prior_draws

    def watched(self, rng, size, units):
        sizes.append(size)
        return drawn(self, rng, size, units)

    monkeypatch.setattr(type(blueprint), "prior_draws", watched)
    monkeypatch.setattr(explain, "_AT_ONCE", 70 * blueprint.layout.steps * blueprint.layout.size)
    found = implied_prior(blueprint, np.random.default_rng(1))
    assert sizes == [70] * 5 + [50]
    monkeypatch.undo()
    whole = implied_prior(blueprint, np.random.default_rng(1))
    key = f"root:{blueprint.panel.funnel.steps[0].name}"
    assert found[key]["q50"] == pytest.approx(whole[key]["q50"], abs=0.06)


@pytest.mark.parametrize("effects", [["intercept", "jurisdiction"], ["intercept", "cell"]])
def test_some_cells_alone_are_as_among_all(effects):
    blueprint = bind(make_panel(FACTS, (), tuple("ABC")), effects)
    whole = blueprint.predictor(blueprint.prior_draws(np.random.default_rng(3), 5))
    for positions in ([0, 2], [0, 1], [0, 1, 2], [2]):
        few = blueprint.prior_at(np.random.default_rng(3), 5, np.array(positions))
        assert (few == whole[..., positions]).all()
