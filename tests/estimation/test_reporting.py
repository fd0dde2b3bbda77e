"""Where little of the denominator reports, a change over all jurisdictions is withheld, and the check says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.reporting import Reporting
from attrition.estimation.completion import complete
from attrition.estimation.contraction import cell_rates
from attrition.estimation.estimates import estimates
from attrition.estimation.reporting import reporting_share

from ..panels import bind, make_panel

YEARS = ("2023", "2024")
NUMBERS = ["median", "mean", "sd", "q05", "q25", "q75", "q95"]


def run(silent, years=YEARS):
    """Estimates where one place reports outcomes of 60 referrals a year and the other of none of its ``silent``."""
    facts = []
    for year in years:
        for place, n in (("NE", 60), ("NY", silent)):
            facts.append(("referral", f"/{place}/{year}", "exact", n))
        facts.append(("investigation", f"/NE/{year}", "exact", 20))
    panel = make_panel(facts, (), ("NE", "NY"), years, ("referral", "investigation"))
    blueprint = bind(panel, ["intercept", "time"])
    draws = blueprint.prior_draws(np.random.default_rng(1), 200)
    # As if the data had said a great deal, of the silent place too.
    near = {name: values * 0.01 for name, values in draws.values.items()}
    draws = replace(draws, intercept=draws.intercept * 0.01, values=near)
    eta, rng = blueprint.predictor(draws), np.random.default_rng(2)
    rates = cell_rates(rng, blueprint, eta, draws, observed=True)
    counts = complete(rng, blueprint, eta, draws)
    table = estimates(blueprint, draws, rates, counts, rng, ("all", "all")).table
    (result,) = Reporting().run(Seen(blueprint, None, table, (), None, counts))  # type: ignore[arg-type]
    return blueprint, table, result


def changes(table, place):
    return table[(table["quantity"] == "change") & (table["jurisdiction"] == place)]


def test_a_change_of_the_whole_is_withheld():
    blueprint, table, result = run(silent=140)
    assert reporting_share(blueprint) == pytest.approx(0.3)
    whole = changes(table, "all")
    assert set(whole["label"]) == {"not published"}
    assert whole[NUMBERS].isna().all(axis=None)
    assert whole[["bound_low", "bound_high"]].notna().all(axis=None)
    # It is the reporting that is too little, not the contraction.
    assert (whole["contraction"] > 0.9).all()
    assert (result.verdict, result.value, result.threshold) == ("passed", pytest.approx(0.3), 0.6)
    assert "30%" in result.sentence
    assert "none of the 1 such changes is published" in result.sentence


def test_the_change_of_a_place_that_reports_is_not():
    _, table, _ = run(silent=140)
    place = changes(table, "NE")
    assert set(place["label"]) == {"data-driven"}
    assert place[NUMBERS].notna().all(axis=None)
    rates = table[(table["quantity"] == "rate") & (table["jurisdiction"] == "all")]
    assert rates["median"].notna().all()


def test_where_enough_reports_it_is_published():
    _, table, result = run(silent=40)
    assert set(changes(table, "all")["label"]) == {"data-driven"}
    assert changes(table, "all")[NUMBERS].notna().all(axis=None)
    assert (result.verdict, result.value) == ("passed", pytest.approx(0.6))


def test_a_change_published_all_the_same_fails():
    blueprint, table, _ = run(silent=140)
    table = table.assign(label="data-driven")
    (result,) = Reporting().run(Seen(blueprint, None, table, (), None, np.zeros(0)))  # type: ignore[arg-type]
    assert result.verdict == "failed"
    assert "1 of 1 such changes are published all the same" in result.sentence


def test_one_period_has_no_change():
    _, table, result = run(silent=140, years=("2024",))
    assert not (table["quantity"] == "change").any()
    assert result.verdict == "informational"
