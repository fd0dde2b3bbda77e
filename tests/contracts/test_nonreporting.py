"""Places that did not report: who they are, what they bind, and what a total that holds them says of them."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.special import expit
from scipy.stats import binom

from attrition.models import catalogue
from attrition.models.compile import compile_model
from attrition.models.field import FieldDraws
from attrition.models.silence import silent_cells

from ..panels import Fact, bind, group_logp, make_panel

REF, INV = "referral", "investigation"
PLACES = ("North", "South", "East", "West")
N = {"North": 40, "South": 30, "East": 20, "West": 10}
OWN: list[Fact] = [(INV, "a/North", "exact", 12), (INV, "a/South", "exact", 7)]
TOTAL: Fact = (INV, "a/all", "exact", 31)
SPREAD = {"nonreporting": {"spread": 0.5}}


def panel_of(*facts: Fact, periods=("2024",)):
    told: list[Fact] = [(REF, f"a/{place}/{t}", "exact", n) for place, n in N.items() for t in periods]
    return make_panel([*told, *facts], ("a",), PLACES, periods, stages=(REF, INV))


def silent_of(panel, periods=False) -> list[str]:
    """Places and periods that are silent at the one step."""
    blueprint = bind(panel, ["intercept"])
    found = np.flatnonzero(silent_cells(panel, blueprint.analysis.groups, periods)[0])
    return ["/".join(panel.axes.cell_names(int(cell))[1:]) for cell in found]


def test_a_silent_place_binds_nothing():
    """With or without its referrals, δ wide or none, the statements of the others have the same density."""
    whole, apart = panel_of(*OWN), make_panel(
        [*((REF, f"a/{place}", "exact", N[place]) for place in ("North", "South")), *OWN], ("a",), PLACES[:2],
        ("2024",), stages=(REF, INV),
    )  # fmt: skip
    found = [
        sum(group_logp(bind(panel, ["intercept"], kinds=kinds), np.full((1, size), -1.0)).values())
        for panel, kinds, size in ((whole, {}, 4), (whole, SPREAD, 4), (apart, {}, 2))
    ]
    assert found[0] == found[1] == found[2]


def test_who_is_silent():
    assert silent_of(panel_of(*OWN)) == ["East/2024", "West/2024"]
    # What the total leaves for two together is neither's own; what it leaves for one is that place's.
    assert silent_of(panel_of(*OWN, TOTAL)) == ["East/2024", "West/2024"]
    assert silent_of(panel_of(*OWN, (INV, "a/East", "exact", 4), TOTAL)) == []


def test_a_silent_period_counts_where_it_is_asked_for():
    years = ("2023", "2024")
    facts = [
        (INV, f"a/{place}/{t}", "exact", 3)
        for place in PLACES
        for t in years
        if (place, t) != ("West", "2024")
    ]
    panel = panel_of(*facts, periods=years)
    assert silent_of(panel) == []
    assert silent_of(panel, periods=True) == ["West/2024"]


def test_the_kind_claims_totals_over_places_that_did_not_report():
    kind = catalogue.kind("nonreporting")
    panel = panel_of(*OWN, TOTAL)
    assert [kind.claims(s, panel) for s in panel.statements] == [False] * 6 + [True]
    assert bind(panel, ["intercept"]).statement_kinds["s6"] == ("exact", "nonreporting", "total")
    whole = panel_of(*OWN, *((INV, f"a/{place}", "exact", 2) for place in ("East", "West")), TOTAL)
    assert not any(kind.claims(s, whole) for s in whole.statements)


def test_without_a_spread_nothing_is_added():
    blueprint = bind(panel_of(*OWN, TOTAL), ["intercept"])
    assert blueprint.additions == ()
    assert blueprint.unknowns == ()


def by_hand(mu: float, z: float) -> list[float]:
    """Log probabilities of the two places' counts and of what the two silent ones hold together."""
    p = expit(mu + 0.5 * z)
    return [binom.logpmf(12, 40, expit(mu)), binom.logpmf(7, 30, expit(mu)), binom.logpmf(12, 30, p)]


def test_the_total_sees_the_shift():
    """The compiled model, and NumPy's predictor, against binomial probabilities worked out by hand."""
    blueprint = bind(panel_of(*OWN, TOTAL), ["intercept"], kinds=SPREAD)
    compiled = compile_model(blueprint)
    given = {one.name: one for one in compiled.model.free_RVs}
    total = pt.sum(pt.concatenate(compiled.logp))
    program = pytensor.function([given["intercept"], given["nonreporting"]], total, mode="FAST_COMPILE")
    # Counts of single cells are kept without their constants, so that differences are compared.
    base = float(program(np.array([-1.0]), np.array([0.0]))) - sum(by_hand(-1.0, 0.0))
    for mu, z in ((-1.0, -1.3), (-0.6, 2.0)):
        draws = FieldDraws(
            np.full((1, 1), mu), {}, {}, np.ones((1, 1)), unknown={"nonreporting": np.full((1, 1), z)}
        )
        eta = blueprint.predictor(draws)
        assert eta[0, 0] == pytest.approx([mu, mu, mu + 0.5 * z, mu + 0.5 * z])
        logs = group_logp(blueprint, eta[0], unknown={"nonreporting": z})
        assert sorted(logs.values()) == pytest.approx(sorted(by_hand(mu, z)), rel=1e-9)
        found = float(program(np.array([mu]), np.array([z]))) - base
        assert found == pytest.approx(sum(by_hand(mu, z)), rel=1e-9)
