"""Ever: the tail after the horizon, against a sum over its periods, and what the counts do not say."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.estimation.completion import complete
from attrition.estimation.estimates import estimates
from attrition.estimation.ever import after_horizon, extrapolates
from attrition.estimation.thinning import take
from attrition.models.field import FieldDraws
from attrition.models.rates import rates_of

from ..dated import ARR, INV, KIND, RATES, UNKNOWN, Z, delays, density, panel_of, referrals
from ..panels import bind

HORIZON_KIND = KIND["immature"]


def blueprint_of(**settings: object):
    facts = [("2024", (INV, "a/P/2024", "exact", 1)), ("2024", (ARR, "b/P/2023", "exact", 1))]
    panel = panel_of([*referrals({"a/2024": 4, "b/2023": 3}), *facts])
    return bind(panel, ["intercept"], kinds={"immature": {**HORIZON_KIND, **settings}})


def draws_of(blueprint, size: int) -> FieldDraws:
    z = {one.name: np.full((size, *one.shape), Z) for one in blueprint.unknowns}
    assert set(z) == set(UNKNOWN)
    return FieldDraws(np.zeros((size, 2)), {}, {}, np.ones((size, 2)), unknown=z)


def test_the_tail_is_a_geometric_sum_from_the_last_period():
    """With the ratio of successive periods all but given."""
    blueprint = blueprint_of(tail=(0.4999999, 0.5000001))
    offense, _, period = blueprint.layout.coordinates
    rates = np.array([[RATES["ab"[o]][s] for o in offense] for s in range(2)])[None]
    found = after_horizon(np.random.default_rng(1), blueprint, draws_of(blueprint, 1).unknown, rates)[0]
    for place, (o, t) in enumerate(zip(offense, period, strict=True)):
        last = delays("ab"[o], blueprint.panel.axes.period.leaves[t])[-1]
        more = sum(last * 0.5**k for k in range(1, 60))
        for step in range(2):
            assert found[step, place] == pytest.approx(min(RATES["ab"[o]][step] * (1 + more), 1), rel=1e-5)


def test_how_fast_it_thins_out_is_the_plans():
    blueprint = blueprint_of()
    rates = np.full((20_000, 2, blueprint.layout.size), 0.05)
    found = after_horizon(np.random.default_rng(2), blueprint, draws_of(blueprint, 20_000).unknown, rates)[
        :, 0, 0
    ]
    last = delays("a", "2024")[-1]
    low, high = np.quantile((found / 0.05 - 1) / last, [0.05, 0.95])
    assert (low, high) == pytest.approx((0.2 / 0.8, 0.8 / 0.2), rel=0.05)


def test_only_where_cohorts_are_still_developing():
    assert extrapolates(blueprint_of())
    complete, _ = density(panel_of([*referrals({"a/2021": 4}), ("2024", (INV, "a/P/2021", "exact", 1))]))
    assert not extrapolates(complete)


def test_rows_stand_beside_the_rates_and_are_never_below_them():
    """Every row of an aggregate, from draws of the prior: at least its rate, below one, never data-driven."""
    blueprint, rng = blueprint_of(), np.random.default_rng(3)
    draws = blueprint.prior_draws(rng, 60)
    eta = blueprint.predictor(draws)
    counts = complete(rng, blueprint, eta, draws)
    found = estimates(blueprint, draws, rates_of(eta, (False, False)), counts, rng, ("all", "all"))
    table = found.table.set_index("quantity_id")
    ever = table[table["quantity"] == "ever"]
    assert set(ever["step"]) == {"referral-investigation", "investigation-arrest", "referral-arrest"}
    assert (ever["bound_high"] == 1).all()
    assert set(ever["label"]) <= {"model-assisted", "prior-driven", "not published"}
    at = {name: place for place, name in enumerate(found.aggregate_ids)}
    # Where memory is short the reference variances come from fewer draws than the rates.
    few = estimates(
        blueprint, take(draws, np.arange(0, 60, 3)), rates_of(eta, (False, False)), counts, rng, ("all", "all"),
        unknown=draws.unknown,
    )  # fmt: skip
    assert few.aggregates.shape == found.aggregates.shape
    compared = 0
    for name in ever.index:
        _, step, *node = name.split("|")
        quantity = "end_to_end" if step == "referral-arrest" else "rate"
        rate = at.get("|".join([quantity, step, *node]))
        if rate is not None:
            assert (found.aggregates[:, at[name]] >= found.aggregates[:, rate] - 1e-6).all()
            compared += 1
    assert compared > 5
