"""Scenarios answered by weights: against quadrature, against what cannot be weighed, and against a refit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm, qmc

from attrition.estimation.binding import bind_plan
from attrition.estimation.plan import read_plan
from attrition.estimation.sensitivity.compare import Comparison, moved
from attrition.estimation.sensitivity.reweight import Reweighted, Weighing, unkept
from attrition.estimation.sensitivity.weights import weigh
from attrition.estimation.store.runs import Run
from attrition.estimation.thinning import take
from attrition.estimation.verbs import estimate, vary
from attrition.models.field import FieldDraws

from ..contracts.mixed import panel_of, split
from ..panels import bind
from .exact_world import COUNTS, exact_fit, posterior, quantile, write_plan

SCENARIOS = """
[[scenario]]
name = "another prior"
reason = "a judgement"
set = {"prior.intercept.median" = 0.5, "prior.intercept.sd" = 0.5}
[[scenario]]
name = "without West"
reason = "few cases"
set = {"exclude.+" = {jurisdiction = "West", stage = "arrest", reason = "few cases"}}
[[scenario]]
name = "far"
reason = "a prior that these draws do not reach"
set = {"prior.intercept.median" = 0.999, "prior.intercept.sd" = 0.1, "prior.allow_extreme" = "to see"}
"""


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The scenarios, with the exact posterior of the plan in place of every fit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attrition.estimation.fitting.fit_blueprint", exact_fit)
        return vary(write_plan(tmp_path_factory.mktemp("exact"), SCENARIOS), progress=False)


def test_weights_give_the_posterior_of_the_scenario(varied: Comparison) -> None:
    truth = {
        "another prior": posterior(COUNTS, 0.5, 0.5),
        "without West": posterior({place: COUNTS[place] for place in ("North", "South")}),
    }
    base = posterior(COUNTS)
    sd = (quantile(base, 0.841) - quantile(base, 0.159)) / 2
    front = varied.front().query("offense == 'all'").set_index("scenario")
    for name, distribution in truth.items():
        moved = quantile(distribution, 0.5) - quantile(base, 0.5)
        assert abs(moved) > 0.25 * sd  # else the scenario would test nothing
        assert front.loc[name, "value"] == pytest.approx(quantile(distribution, 0.5), abs=0.06 * sd)
    by = {one.name: one for one in varied.varied}
    assert [by[name].weighed is not None for name in (*truth, "far")] == [True, True, False]


def test_the_route_and_its_reason_are_kept(varied: Comparison) -> None:
    by = {entry["name"]: entry for entry in varied.base.scenarios}
    assert [by[name]["route"] for name in by] == ["reweighted", "reweighted", "refitted"]
    assert by["another prior"]["khat"] < 0.7
    assert by["another prior"]["ess"] > 400
    assert "k-hat" in by["far"]["why"] or "effective draws" in by["far"]["why"]
    assert by["far"]["khat"] is None


def test_a_place_whose_outcomes_are_left_out_keeps_no_label_of_its_own(varied: Comparison) -> None:
    rows = varied.table[(varied.table["jurisdiction"] == "West") & (varied.table["period"] == "all")]
    labels = rows.set_index(["scenario", "offense"])["label"]
    # One rate for all places: what the others say is all that it needs, but none of it was seen there.
    assert labels.loc["another prior", "theft"] == "data-driven"
    assert labels.loc["without West", "theft"] == "model-assisted"


def test_draws_are_taken_although_as_many_are_wanted_as_there_are() -> None:
    """Resampling keeps the number of draws."""
    value = np.arange(5.0)[:, None]
    field = FieldDraws(value, {}, {}, np.ones_like(value))
    assert take(field, np.array([0, 0, 2, 2, 4])).intercept[:, 0].tolist() == [0, 0, 2, 2, 4]
    assert take(field, np.arange(5)) is field


@pytest.fixture(scope="module")
def tightened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Reweighted, Run]:
    """A scenario of a tighter prior of the spread, by weights and by a fit; few counts, so that labels move."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("tight")
    lines = ["offense,jurisdiction,period,referral,arrest"]
    for place in range(6):
        for year in (2021, 2022, 2023):
            for offense, logit in (("a", -0.85), ("b", -1.7)):
                n = int(rng.poisson(12))
                count = rng.binomial(n, expit(logit + 0.27 * (place - 2.5)))
                lines.append(f"{offense},j{place},{year},{n},{'' if place == 5 else count}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    plan = (
        'name = "tight"\n[funnel]\nstages = ["referral", "arrest"]\n[[input]]\nfile = "data.csv"\nas_of = 2024-06-30\n'
        '[estimate]\nengine = "laplace"\ndraws = 1000\n'
    )
    (folder / "plan.toml").write_text(plan)
    path, patches = folder / "plan.toml", {"prior.spread": 0.3}
    base, fitted = (estimate(path, patches=one, progress=False) for one in ({}, patches))
    one, two = (bind_plan(read_plan(path, patch)) for patch in ({}, patches))
    found = Weighing(base, one).answer(two, "x")
    assert isinstance(found, Reweighted), found
    return found, fitted


def test_labels_of_rates_and_their_differences_are_those_of_a_fit(tightened: tuple[Reweighted, Run]) -> None:
    found, fitted = tightened
    mine, theirs, plain = (
        run.estimates.query("basis == 'superpopulation'").set_index("quantity_id")
        for run in (found, fitted, found.base)
    )
    for quantity in ("rate", "change", "contrast"):
        rows = mine.index[mine["quantity"] == quantity]
        wrong = (mine.loc[rows, "label"] != theirs.loc[rows, "label"]).mean()
        moved = (plain.loc[rows, "label"] != theirs.loc[rows, "label"]).mean()
        assert wrong <= 0.13
        assert moved > 2 * wrong
    # What neither publishes nobody claims.
    claimed = {claim["key"] for claim in found.claims if claim["holds"]}
    assert claimed <= {claim["key"] for claim in fitted.claims}


def test_weights_of_two_normals_by_hand() -> None:
    """From N(0, 1) to N(m, s): moments that are known, the tail that is known, and what must be refused."""
    x = norm.ppf(qmc.Sobol(1, seed=1).random(4096)[:, 0])
    near = weigh(norm(0.5, 0.8).logpdf(x) - norm().logpdf(x), 4096)
    assert near.fault == ""
    assert near.weight @ x == pytest.approx(0.5, abs=0.01)
    assert near.weight @ (x - 0.5) ** 2 == pytest.approx(0.64, abs=0.02)
    # Kish's size of such weights: E[w]²/E[w²] in closed form.
    s2 = 0.64
    known = np.sqrt(s2 * (2 - s2)) * np.exp(-(0.5**2) / (2 - s2))
    assert near.ess / 4096 == pytest.approx(known, rel=0.03)
    drawn = x[near.resampled(np.random.default_rng(1))]
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    # A target with heavier tails has weights of infinite variance beyond √2: 1 - 1/s² is the shape of their tail.
    wide = weigh(norm(0, 3).logpdf(x) - norm().logpdf(x), 4096)
    assert "k-hat" in wide.fault
    assert wide.khat == pytest.approx(1 - 1 / 9, abs=0.15)
    half = weigh(norm(0.5, 0.8).logpdf(x) - norm().logpdf(x), 300)
    assert "effective draws" in half.fault
    assert weigh(np.zeros(500), 500.0).fault == ""


@pytest.mark.slow
def test_a_refit_says_the_same_within_simulation(small_plan: Path, small_run: Run) -> None:
    """Three priors on a plan of exact, total, suppressed and absent counts: 288 rows, weighed and fitted."""
    weighing = Weighing(small_run, bind_plan(read_plan(small_plan)))
    for patch in (
        {"prior.spread": 2.0},
        {"prior.spread": 0.5},
        {"prior.intercept": {"median": 0.3, "sd": 1.0}},
    ):
        plan = read_plan(small_plan, patch)
        weighed = weighing.answer(bind_plan(plan), "x")
        assert isinstance(weighed, Reweighted)
        fitted = estimate(plan, progress=False)
        least = min(weighed.ess, fitted.manifest["diagnostics"]["ess_min"])
        noise = np.sqrt(np.pi / 2 * 2 / least)  # sd of the difference of two medians, in posterior sd
        both = [moved(small_run, [("x", run)]).set_index("quantity_id")["shift"] for run in (weighed, fitted)]
        apart = (both[0] - both[1]).abs().dropna()
        assert apart.mean() < noise
        assert apart.max() < 4 * noise


def test_what_the_run_does_not_keep_is_told() -> None:
    """Shares of an unsplit total are made of coordinates that a large run leaves out: such a scenario is fitted."""
    blueprint = bind(
        split(panel_of((("referral", "all", "exact", 9),), [(("investigation", "all", "exact", 4),)])),
        ["intercept"],
    )
    field = blueprint.prior_draws(np.random.default_rng(1), 3)
    assert unkept(blueprint, field) == ""
    field = replace(field, unknown={"mix_shared": field.unknown["mix_shared"]})
    assert unkept(blueprint, field) == "the run is too large to keep all draws of mix_place"
