"""Totals that share units: together they tell what their joint density says, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.estimation.information import information
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import moments, reports
from attrition.estimation.together import Together, crossing, nested, one_by_one
from attrition.models.field import FieldDraws

from ..dated import panel_of, referrals
from ..panels import bind, make_panel

P, Q = 0.3, 0.4
LOGIT = np.log(P / (1 - P)), np.log(Q / (1 - Q))


def test_what_each_adds_sums_to_the_information_of_all():
    """Σ c̃² / ṽ = c' V⁻¹ c, of two groups of three totals each."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(2, 3, 3))
    covariance = root @ root.transpose(0, 2, 1)
    mean, at = rng.normal(size=(5, 7)), np.array([[4, 0, 2], [1, 6, 3]])
    variance = np.full(7, 2.0)
    variance[at] = np.diagonal(covariance, axis1=1, axis2=2)
    new, own = one_by_one(mean, variance, (Together(at, covariance),))
    np.testing.assert_array_equal(new[:, 5], mean[:, 5])
    for place, one in zip(at, covariance, strict=True):
        whole = np.einsum("rd,de,re->r", mean[:, place], np.linalg.inv(one), mean[:, place])
        np.testing.assert_allclose((new[:, place] ** 2 / own[place]).sum(axis=1), whole)


def test_a_total_that_others_determine_adds_nothing():
    both = np.array([[[4.0, 4.0], [4.0, 4.0]]])
    _, own = one_by_one(np.ones((3, 2)), np.full(2, 4.0), (Together(np.array([[0, 1]]), both),))
    assert own.tolist() == [4.0, np.inf]


def test_covariances_are_those_of_simulated_totals():
    rng = np.random.default_rng(2)
    n, chance = np.array([30, 20]), np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]])
    z = np.stack([rng.multinomial(k, p, 200_000) for k, p in zip(n, chance, strict=True)])
    reach = chance[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    found = nested(n[None].astype(float), reach[None, None], 1.0, 0.0)[0]
    np.testing.assert_allclose(
        found, np.cov(z.sum(axis=0)[:, 1:] @ [[1, 0], [1, 1]], rowvar=False), rtol=0.02
    )
    members, variance = np.array([[[1, 1, 0], [0, 1, 1]]], dtype=bool), np.array([[[1.0, 2.0, 4.0]]])
    assert crossing(members, variance).tolist() == [[[3.0, 2.0], [2.0, 6.0]]]


@pytest.mark.parametrize(
    ("units", "worth"),
    [
        ({}, 1000 * P * (1 - P)),
        # A ratio of variance factor 2: what comes of the outcomes says nothing of how many there were.
        ({"referral": "report", "investigation": "case", "arrest": "person"}, 1000 * P / (1 - P) / 2),
    ],
    ids=["probability", "ratio"],
)
def test_a_later_stage_says_nothing_of_a_step_whose_outcome_is_known(units, worth):
    facts = [
        ("referral", "a", "exact", 600), ("referral", "b", "exact", 400),
        ("investigation", "all", "exact", 300), ("arrest", "all", "exact", 120),
    ]  # fmt: skip
    blueprint = bind(make_panel(facts, "ab", units=units), ["intercept"])
    step = 1e-4
    first = LOGIT[0] + step * np.array([-1.0, 1.0])
    draws = FieldDraws(
        np.column_stack([first, np.full(2, LOGIT[1])]), {}, {}, np.full((2, 2), 2.0 if units else 1.0)
    )
    found = moments(np.random.default_rng(0), blueprint, blueprint.predictor(draws), draws)
    new, own = one_by_one(found.mean, found.variance.mean(axis=0), found.together)
    told = ((new[1] - new[0]) / (2 * step)) ** 2 / own
    assert told.sum() == pytest.approx(worth, rel=1e-4)


def test_a_cohort_of_four_dates_tells_as_much_as_one_of_one():
    """How delays are is fixed: each cohort's latest count says n p (1 - p), and the dates before it no more."""
    inv, by = "investigation", (("2024", 92), ("2025", 97), ("2026", 98), ("2027", 99))
    facts = [("2027", fact) for _, fact in referrals({"a/2020": 1000, "a/2024": 1000})]
    facts += [("2024", (inv, "a/P/2020", "exact", 100))]
    facts += [(year, (inv, "a/P/2024", "exact", k)) for year, k in by]
    panel = panel_of(facts, tuple(str(year) for year in range(2020, 2028)))
    kind = {"horizon": 4, "hazard": (0.90, 0.99), "drift": 0.0, "offense": 0.0}
    blueprint = bind(panel, ["intercept"], kinds={"immature": kind})
    size = 4000
    logits = -np.log(9) + np.random.default_rng(0).normal(size=size) / np.sqrt(180)
    z = {one.name: np.zeros((size, *one.shape)) for one in blueprint.unknowns}
    steps = np.column_stack([logits, np.zeros(size)])
    draws = FieldDraws(steps, {}, {}, np.ones((size, 2)), unknown=z)
    found = moments(np.random.default_rng(1), blueprint, blueprint.predictor(draws), draws)
    table = information(
        reports(blueprint),
        [Part.whole(reports(blueprint), found)],
        ["q"],
        lambda _: logits[:, None],
        np.array([0.9]),
    )
    share = table[table["by"] == "kind"].set_index("name")["share"]
    np.testing.assert_allclose(share[["exact", "exact+immature"]], 0.45, atol=0.01)
