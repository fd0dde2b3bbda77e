"""Rates of new units: what is not drawn afresh is as it was, what is has the population's spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.fresh import FreshRates
from attrition.estimation.rows import link, published_steps
from attrition.models.rates import rates_of
from attrition.models.unsplit import arrange

from ..panels import bind, make_panel, statement

OFFENSES = {"csam": "all", "sale": "csam", "having": "csam", "luring": "all"}
PLACES = {"US": "all", "NE": "US", "NY": "US", "UK": "all"}
YEARS = ("2023", "2024")
PERSONS = {"referral": "report", "investigation": "case", "arrest": "person"}
FACTS = [
    ("referral", "all/NE/2024", "exact", 90),
    ("arrest", "all/NE/2024", "exact", 9),
    ("arrest", "sale/NE/2024", "exact", 3),
    ("referral", "all/NY/2023", "exact", 70),
    ("investigation", "all/NY/2023", "exact", 20),
    ("referral", "luring/UK/2024", "exact", 50),
    ("arrest", "luring/UK/2024", "exact", 7),
]


def draws_of(blueprint, size, seed=1):
    return blueprint.prior_draws(np.random.default_rng(seed), size)


def unsplit(units=None):
    """Totals that no denominator splits, and a cell of its own."""
    mix = tuple(
        replace(statement(0, ("report", f"{name}//2024", "exact", count)), id=f"mix {name}")
        for name, count in (("sale", 500), ("having", 300), ("luring", 200))
    )
    return bind(arrange(replace(make_panel(FACTS, OFFENSES, PLACES, YEARS, units=units), mix=mix), False))


@pytest.mark.parametrize("units", [None, PERSONS], ids=["probabilities", "ratios"])
def test_nothing_drawn_afresh_is_the_field_itself(units):
    blueprint = unsplit(units)
    assert blueprint.mixture is not None
    draws = draws_of(blueprint, 50)
    rates = rates_of(blueprint.predictor(draws), blueprint.ratio_steps)
    for _, step in published_steps(blueprint.panel.funnel):
        found = np.empty((blueprint.layout.size, 50))
        for part, path in FreshRates(blueprint, draws).paths(np.random.default_rng(2), (), step):
            found[:, part] = path
        expected = rates[:, step.source : step.target].prod(axis=1).T
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-14)


def test_the_draws_are_taken_a_few_at_a_time(monkeypatch):
    """In how many parts makes no difference."""
    blueprint = unsplit()
    draws, step = draws_of(blueprint, 100), blueprint.panel.funnel.end_to_end
    whole = list(FreshRates(blueprint, draws).paths(np.random.default_rng(3), ("jurisdiction",), step))
    monkeypatch.setattr("attrition.estimation.fresh._AT_ONCE", 1)
    parts = list(FreshRates(blueprint, draws).paths(np.random.default_rng(3), ("jurisdiction",), step))
    assert (len(whole), len(parts)) == (1, 7)
    np.testing.assert_array_equal(whole[0][1], np.concatenate([path for _, path in parts], axis=1))


@pytest.mark.parametrize(("axes", "afresh"), [(("offense",), {"offense"}), (("period",), set())])
def test_a_new_unit_has_the_spread_of_its_population(axes, afresh):
    facts = [
        (stage, f"{o}/{j}", "exact", n)
        for o in "abc"
        for j in ("NE", "NY")
        for stage, n in (("referral", 50), ("investigation", 20))
    ]
    panel = make_panel(facts, "abc", ("NE", "NY"), stages=("referral", "investigation"))
    blueprint = bind(panel, ["intercept", "offense", "jurisdiction"])
    draws = draws_of(blueprint, 20_000)
    sd = {"offense": 0.7, "jurisdiction": 0.4}
    fixed = replace(
        draws,
        intercept=np.zeros_like(draws.intercept),
        sd={name: np.full_like(values, sd[name]) for name, values in draws.sd.items()},
        values={name: np.full_like(values, 0.1) for name, values in draws.values.items()},
    )
    ((_, rates),) = FreshRates(blueprint, fixed).paths(
        np.random.default_rng(4), axes, blueprint.panel.funnel.steps[0]
    )
    eta = link(rates, False)
    kept = sum(0.1 for name in sd if name not in afresh)
    np.testing.assert_allclose(eta.mean(axis=1), kept, atol=0.02)
    np.testing.assert_allclose(
        eta.std(axis=1), np.sqrt(sum(sd[name] ** 2 for name in afresh)), rtol=0.03, atol=1e-12
    )
