"""The funnel forward, and the statements the same reporting rules would have made."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models.field import FieldDraws
from attrition.models.rates import rates_of, step_forward
from attrition.models.simulate import complete_counts, simulate_panel

from ..panels import bind, make_panel

PERSONS = {"referral": "report", "investigation": "report", "arrest": "person"}


def test_rates_are_on_their_own_scales():
    eta = np.array([[0.0, 900.0, -900.0], [np.log(2.5), 0.0, -1.0]])
    np.testing.assert_allclose(rates_of(eta, (False, True)), [[0.5, 1, 0], [2.5, 1, np.exp(-1)]])


@pytest.mark.parametrize(
    ("ratio", "phi", "concentration", "mean", "variance"),
    [
        (False, 1.0, None, 6.0, 6 * 0.7),
        (False, 1.0, np.array(5.0), 6.0, 6 * 0.7 * (5 + 20) / (5 + 1)),
        (True, 3.0, None, 6.0, 18.0),
        (True, 1.0, None, 6.0, 6.0),
    ],
    ids=["binomial", "beta-binomial", "negative binomial", "Poisson"],
)
def test_moments_of_a_step(ratio, phi, concentration, mean, variance):
    counts, rate = np.full(40_000, 20.0), np.full(40_000, 0.3)
    drawn = step_forward(np.random.default_rng(1), counts, rate, ratio, phi, concentration)
    assert drawn.mean() == pytest.approx(mean, rel=0.02)
    assert drawn.var() == pytest.approx(variance, rel=0.05)
    assert (drawn == np.floor(drawn)).all()


def test_complete_counts_follow_the_field(small):
    """Under one draw the counts are binomial at its own rates, referrals as given."""
    layout = small.layout
    one = small.prior_draws(np.random.default_rng(3), 1)
    first = np.full(layout.size, 400.0)
    many = np.stack([complete_counts(np.random.default_rng(i), small, one, first)[0] for i in range(200)])
    rates = complete_counts(np.random.default_rng(0), small, one, first)[1]
    np.testing.assert_allclose(rates, rates_of(one.eta(small.blocks, layout)[0], small.ratio_steps))
    assert (many[:, 0] == 400).all()
    expected = 400 * rates[0]
    np.testing.assert_allclose(many[:, 1].mean(axis=0), expected, atol=5 * np.sqrt(400 * 0.25 / 200))
    np.testing.assert_allclose(
        many[:, 2].mean(axis=0), 400 * rates.prod(axis=0), atol=5 * np.sqrt(400 * 0.25 / 200)
    )


def test_a_simulated_panel_reports_its_own_truth(small):
    twin, again = (simulate_panel(np.random.default_rng(1), small) for _ in range(2))
    panel, counts = twin.panel, twin.counts
    assert panel.statements == again.panel.statements
    np.testing.assert_array_equal(counts, again.counts)
    for statement in panel.statements:
        stage = panel.funnel.index(statement.stage)
        cells = small.layout.positions[panel.cells(statement)]
        assert statement.count == counts[stage, cells].sum()


def test_a_cell_known_only_from_a_later_stage_keeps_its_denominator():
    """Where referrals are unknown and investigations known, investigations are the given denominators."""
    facts = [
        ("referral", "a", "exact", 50), ("investigation", "a", "exact", 20), ("arrest", "a", "exact", 8),
        ("investigation", "b", "exact", 30), ("arrest", "b", "exact", 11),
    ]  # fmt: skip
    blueprint = bind(make_panel(facts, "ab"), ["intercept"])
    twin = simulate_panel(np.random.default_rng(2), blueprint)
    panel, counts = twin.panel, twin.counts
    by_id = panel.by_id
    assert by_id["s3"].count == 30
    assert counts[1, 1] == 30
    assert np.isnan(counts[0, 1])
    assert len(bind(panel, ["intercept"]).analysis.groups) == len(blueprint.analysis.groups)


def test_ratio_steps_may_exceed_one():
    facts = [
        ("referral", "a", "exact", 50),
        ("investigation", "a", "exact", 20),
        ("arrest", "a", "exact", 70),
    ]
    blueprint = bind(make_panel(facts, "a", units=PERSONS), ["intercept"])
    draws = FieldDraws(np.array([[0.0, np.log(3.0)]]), {}, {}, np.array([[1.0, 2.0]]))
    found = [
        complete_counts(np.random.default_rng(i), blueprint, draws, np.array([50.0]))[0][:, 0]
        for i in range(2000)
    ]
    counts = np.array(found)
    assert counts[:, 2].mean() == pytest.approx(75, rel=0.03)
    # Var = φ λ E(n) + λ² Var(n)
    assert counts[:, 2].var() == pytest.approx(2 * 3 * 25 + 9 * 12.5, rel=0.12)
