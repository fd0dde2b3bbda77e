"""Where little of the denominator reports a change is withheld, a rate at most assisted; the check says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.reporting import Reporting
from attrition.estimation.completion import complete
from attrition.estimation.contraction import cell_rates
from attrition.estimation.estimates import estimates
from attrition.estimation.evidence import Evidence, ReportingShares
from attrition.estimation.labels import label
from attrition.estimation.reporting import reporting_share
from attrition.estimation.rows import make_rows

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
    counts = complete(rng, blueprint, eta, draws, rates)
    table = estimates(blueprint, draws, rates, counts, rng, ("all", "all")).table
    result, places = Reporting().run(Seen(blueprint, None, table, (), (), counts))  # type: ignore[arg-type]
    assert places.verdict == "passed"
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
    result, places = Reporting().run(Seen(blueprint, None, table, (), (), np.zeros(0)))  # type: ignore[arg-type]
    assert (result.verdict, places.verdict) == ("failed", "failed")
    assert "1 of 1 such changes are published all the same" in result.sentence


def test_one_period_has_no_change():
    _, table, result = run(silent=140, years=("2024",))
    assert not (table["quantity"] == "change").any()
    assert result.verdict == "informational"


def of_a_region(silent):
    """Estimates of a region of two cities, of which one has 80 referrals a year and reports, the other is silent."""
    facts = []
    for year in YEARS:
        for place, n in (("A", 80), ("B", silent), ("C", 100)):
            facts.append(("referral", f"/{place}/{year}", "exact", n))
        for place in "AC":
            facts.append(("investigation", f"/{place}/{year}", "exact", 20))
        facts.append(("arrest", f"/all/{year}", "exact", 10))  # a total of all cities is no report of one
    tree = {"R": "all", "A": "R", "B": "R", "C": "all"}
    panel = make_panel(facts, (), tree, YEARS, ("referral", "investigation", "arrest"))
    blueprint = bind(panel, ["intercept", "time"])
    return blueprint, make_rows(panel, blueprint.layout)


@pytest.mark.parametrize(("silent", "few"), [(20, False), (21, True)])
def test_a_part_asks_for_four_fifths_of_its_own_denominator(silent, few):
    blueprint, rows = of_a_region(silent)
    evidence = Evidence(blueprint)
    share = dict(zip(map(tuple, rows.names), ReportingShares(blueprint).of(rows), strict=True))
    assert share["all", "R", "2024"] == pytest.approx(80 / (80 + silent))
    assert (share["all", "A", "2024"], share["all", "B", "all"], share["all", "all", "2024"]) == (1, 0, 1)
    step = blueprint.panel.funnel.step(0, 1)
    at = rows.find("all", "R", "2024")
    assert evidence.behind(rows, step).few[at] == few
    strong = [np.full(1, value) for value in (0.9, np.nan, False, False)]
    found = label(
        *strong[:2], *(flag.astype(bool) for flag in strong[2:]), evidence.behind(rows, step).few[[at]]
    )
    assert found.tolist() == ["model-assisted" if few else "data-driven"]
