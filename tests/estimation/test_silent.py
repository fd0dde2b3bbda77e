"""Shifts of silent places, and the curves along them, against the same numbers worked out by other routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from attrition.data.names import ESTIMATE_COLUMNS, SILENT_COLUMNS, TIPPING_COLUMNS
from attrition.estimation.claims.catalogue import claims_of
from attrition.estimation.claims.contract import Told
from attrition.estimation.completion import complete
from attrition.estimation.flips import crossing, flips
from attrition.estimation.rows import CellDraws, evaluate, make_rows, published_steps, quantity_id
from attrition.estimation.silent import Shift, between, shift_silent, uninformed
from attrition.estimation.tipping import GRID, Tipping, _Front, tipping
from attrition.models.rates import rates_of

from ..panels import Fact, bind, make_panel

PLACES, YEARS, OFFENSES = ("North", "South", "East"), ("2023", "2024"), ("a", "b")
R = 200
EFFECTS = ["intercept", "offense", "jurisdiction", "time"]


def blueprint_of(*, settings=None):
    """Two offenses, two years; East publishes nothing, South nothing of 2024; no place publishes arrests of b."""
    facts: list[Fact] = []
    for k, place in enumerate(PLACES):
        for t, year in enumerate(YEARS):
            for o, offense in enumerate(OFFENSES):
                node = f"{offense}/{place}/{year}"
                facts.append(("referral", node, "exact", 200 + 40 * k + 10 * t + 5 * o))
                if place == "East" or (place, year) == ("South", "2024"):
                    continue
                facts.append(("investigation", node, "exact", 50 + 7 * k + o))
                facts.append(("arrest", node, "exact", 12 + k))
    return bind(make_panel(facts, OFFENSES, PLACES, YEARS), EFFECTS, kinds=settings)


class Drawn:
    """A blueprint with draws of its prior in place of a posterior's, which the curves do not tell apart."""

    def __init__(self) -> None:
        self.blueprint = blueprint_of()
        rng = np.random.default_rng(5)
        self.draws = self.blueprint.prior_draws(rng, R)
        self.eta = self.blueprint.predictor(self.draws)
        self.counts = complete(rng, self.blueprint, self.eta, self.draws)
        self.rates = rates_of(self.eta, self.blueprint.ratio_steps)
        self.told = self._told()
        self.claims = [replace(claim, holds=True) for claim in claims_of(self.told)]

    def rows(self, rates: np.ndarray) -> dict[str, np.ndarray]:
        """Draws of the published rates of the whole under other rates of the cells, the counts as they are."""
        rows, cells = make_rows(self.blueprint.panel, self.blueprint.layout), CellDraws(rates, self.counts)
        rows = rows.take(rows.names[:, 1] == "all")
        return {
            quantity_id(quantity, step.name, name, "superpopulation"): values
            for quantity, step in published_steps(self.blueprint.panel.funnel)
            for name, values in zip(
                rows.names, evaluate(rows.member, cells.step(step)).superpopulation, strict=True
            )
        }

    def _told(self) -> Told:
        drawn = self.rows(self.rates)
        for name in list(drawn):
            quantity, step, offense, place, period, basis = name.split("|")
            if period == "2024":
                key = quantity_id("change", step, (offense, place, "2023→2024"), basis)
                drawn[key] = drawn[name] - drawn[quantity_id(quantity, step, (offense, place, "2023"), basis)]
        frame = pd.DataFrame([name.split("|") for name in drawn], columns=["quantity", "step", "offense",
                             "jurisdiction", "period", "basis"])  # fmt: skip
        frame = frame.assign(
            quantity_id=list(drawn),
            label="data-driven",
            clock="cohort",
            median=[np.median(v) for v in drawn.values()],
        ).reindex(columns=list(ESTIMATE_COLUMNS))
        funnel, axes = self.blueprint.panel.funnel, self.blueprint.panel.axes
        description = {
            "steps": [{"name": step.name, "kind": step.kind} for step in funnel.steps],
            "funnel": {"stages": list(funnel.stages)},
            "axes": {
                axis: [{"name": n.name, "label": n.label, "parent": n.parent} for n in axes[axis].nodes]
                for axis in ("offense", "jurisdiction", "period")
            },
            "answer": {"jurisdiction": "all", "period": "all"},
        }
        return Told(description, frame, list(drawn), np.stack(list(drawn.values()), axis=1), 0.6, 0.1)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return Drawn()


@pytest.fixture(scope="module")
def found(drawn: Drawn) -> Tipping:
    curves = tipping(drawn.blueprint, drawn.draws, drawn.rates, drawn.counts, drawn.told, drawn.claims)
    assert curves is not None
    return curves


def test_who_is_shifted():
    for periods, silent in ((False, {"East"}), (True, {"East", "South/2024"})):
        blueprint = blueprint_of(settings={"nonreporting": {"periods": periods}})
        names = [blueprint.panel.axes.cell_names(int(cell)) for cell in blueprint.layout.cells]
        expected = [place in silent or f"{place}/{year}" in silent for _, place, year in names]
        assert (uninformed(blueprint) == expected).all()


def test_three_units_say_what_they_say():
    eta, sd = np.array([[-1.0, 0.5], [0.2, 2.0]]), np.array([0.5, 2.0])
    assert Shift(1.5).moved(eta, sd, False) == pytest.approx(eta + 1.5 * sd[:, None])
    assert Shift(-0.3, "logit").moved(eta, sd, False) == pytest.approx(eta - 0.3)
    assert Shift(0.1, "rate").moved(eta, sd, False) == pytest.approx(
        logit(np.minimum(expit(eta) + 0.1, 1 - 1e-12))
    )
    assert np.exp(Shift(0.1, "rate").moved(eta, sd, True)) == pytest.approx(np.exp(eta) + 0.1)
    assert expit(Shift(-0.9, "rate").moved(eta, sd, False)) == pytest.approx(0.0, abs=1e-9)


def test_every_curve_equals_draws_that_were_shifted_before(drawn: Drawn, found: Tipping):
    """At the first step, whose weights no shift moves, each point is the rates shifted first and then summed."""
    assert list(found.claims) == list(TIPPING_COLUMNS)
    assert list(found.rates) == list(SILENT_COLUMNS)
    assert set(zip(found.claims["unit"], found.claims["shift"], strict=True)) == {
        (unit, size) for unit in GRID for size in GRID[unit]
    }
    for shift in (Shift(-2.0), Shift(1.0, "logit"), Shift(0.05, "rate"), Shift(0.0)):
        moved = drawn.rows(
            rates_of(
                shift_silent(drawn.blueprint, drawn.draws, drawn.eta, shift), drawn.blueprint.ratio_steps
            )
        )
        here = found.rates[(found.rates["unit"] == shift.unit) & (found.rates["shift"] == shift.size)]
        here = here[(here["step"] == "referral-investigation")].set_index("quantity_id")
        rates = here[here["quantity"] == "rate"]
        assert len(rates) == 9  # three offenses at the whole and at each year
        for name, row in rates.iterrows():
            assert row[["median", "q05", "q95"]].to_list() == pytest.approx(
                list(np.quantile(moved[str(name)], [0.5, 0.05, 0.95])), rel=1e-9
            )
        name = "change|referral-investigation|a|all|2023→2024|superpopulation"
        change = (
            moved[name.replace("change", "rate").replace("2023→", "")]
            - moved[name.replace("change", "rate").replace("→2024", "")]
        )
        assert here.loc[name, "median"] == pytest.approx(np.median(change), rel=1e-9)
        curve = found.claims[(found.claims["unit"] == shift.unit) & (found.claims["shift"] == shift.size)]
        said = curve.set_index("key")["probability"]
        below = next(c for c in drawn.claims if c.key == "below|rate|referral-investigation|a|all|all")
        end = float(below.query.split()[-1])
        assert said[below.key] == (moved[below.quantity_ids[0]] < end).mean()


def test_without_a_shift_every_claim_has_the_probability_it_was_published_with(drawn: Drawn, found: Tipping):
    here = found.claims[(found.claims["shift"] == 0)].groupby("key")["probability"].agg(["min", "max"])
    assert len(here) > 10
    published = {claim.key: claim.probability for claim in drawn.claims}
    for key, (low, high) in here.iterrows():
        assert low == high == pytest.approx(published[str(key)])


def test_later_weights_follow_the_shift_in_expectation(drawn: Drawn, found: Tipping):
    """Counts drawn of silent cells grow as their rates do, so that the rate of the whole way is Σ n p q / Σ n."""
    shift = Shift(1.0, "logit")
    moved = rates_of(
        shift_silent(drawn.blueprint, drawn.draws, drawn.eta, shift), drawn.blueprint.ratio_steps
    )
    n = drawn.counts[0, 0]
    whole = (moved.prod(axis=1) * n).sum(axis=1) / n.sum()
    rates = found.rates[(found.rates["unit"] == "logit") & (found.rates["shift"] == 1.0)]
    row = rates.set_index("quantity_id").loc["end_to_end|referral-arrest|all|all|all|superpopulation"]
    assert row["median"] == pytest.approx(np.median(whole), rel=1e-9)
    weight = drawn.counts[:, 1].copy()
    silent = uninformed(drawn.blueprint)[0]
    weight[:, silent] = n[silent] * moved[:, 0, silent]  # what is expected, in place of a draw
    onward = (moved[:, 1] * weight).sum(axis=1) / weight.sum(axis=1)
    row = rates.set_index("quantity_id").loc["rate|investigation-arrest|all|all|all|superpopulation"]
    assert row["median"] == pytest.approx(np.median(onward), rel=0.02)


def test_where_every_place_reports_there_is_no_curve():
    facts: list[Fact] = [
        ("referral", "a/North/2024", "exact", 20),
        ("investigation", "a/North/2024", "exact", 3),
    ]
    panel = make_panel(facts, ("a",), ("North",), ("2024",), stages=("referral", "investigation"))
    blueprint = bind(panel, ["intercept"])
    draws = blueprint.prior_draws(np.random.default_rng(1), 4)
    rates, counts = np.full((4, 1, 1), 0.2), np.tile([[20.0], [3.0]], (4, 1, 1))
    nothing = Told({}, pd.DataFrame(), [], np.empty((4, 0)), 0.9, 0.1)
    assert tipping(blueprint, draws, rates, counts, nothing, []) is None


def test_between_is_the_sd_of_places(drawn: Drawn):
    assert between(drawn.blueprint, drawn.draws) == pytest.approx(drawn.draws.sd["jurisdiction"])


SHIFTS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("chance", "level", "at"),
    [
        ((1.0, 1.0, 0.95, 0.85, 0.2), 0.9, 0.5),
        ((0.5, 0.7, 0.95, 0.93, 0.91), 0.9, -0.2),
        ((0.5, 0.85, 0.95, 0.75, 0.1), 0.9, 0.25),
        ((0.99, 0.99, 0.95, 0.93, 0.91), 0.9, np.nan),
        ((0.99, 0.99, 0.85, 0.93, 0.91), 0.9, 0.0),
    ],
)
def test_a_claim_tips_at_the_nearest_crossing(chance, level, at):
    assert crossing(SHIFTS, np.array(chance), level) == pytest.approx(at, nan_ok=True)


def test_claims_that_do_not_hold_have_no_flip():
    curve = pd.DataFrame(
        [
            (key, "sd", shift, p)
            for key in ("x", "y")
            for shift, p in zip(SHIFTS, (1, 1, 0.95, 0.85, 0.2), strict=True)
        ],
        columns=list(TIPPING_COLUMNS),
    )
    claims = [{"key": "x", "holds": True, "threshold": 0.9}, {"key": "y", "holds": False, "threshold": 0.9}]
    (row,) = flips(curve, claims).to_dict("records")
    assert (row["key"], row["published"]) == ("x", 0.95)
    assert (row["withdrawn"], row["reversed"]) == pytest.approx((0.5, 1 + 0.35 / 0.65))


def test_where_nobody_is_counted_a_curve_takes_the_plain_mean_as_its_row_does():
    facts: list[Fact] = []
    for k, place in enumerate(PLACES):
        for offense, n in (("a", 200), ("b", 6)):
            node = f"{offense}/{place}/2024"
            facts.append(("referral", node, "exact", n))
            if place != "East":
                facts.append(("arrest", node, "exact", 12 + k if offense == "a" else 0))
    blueprint, rng = (
        bind(make_panel(facts, OFFENSES, PLACES, ("2024",)), EFFECTS[:3]),
        np.random.default_rng(1),
    )
    draws = blueprint.prior_draws(rng, R)
    eta = blueprint.predictor(draws)
    counts, rates = complete(rng, blueprint, eta, draws), rates_of(eta, blueprint.ratio_steps)
    silent = uninformed(blueprint) & (np.nan_to_num(counts[0, :-1]) > 0)
    answer = {"jurisdiction": "all", "period": "all"}
    front = _Front(blueprint, rates, counts, between(blueprint, draws), silent, answer)
    found = dict(zip(front.ids, front.draws(Shift(0.0)).T, strict=True))
    rows, cells = make_rows(blueprint.panel, blueprint.layout), CellDraws(rates, counts)
    empty = 0
    for quantity, step in published_steps(blueprint.panel.funnel):
        values = evaluate(rows.member, cells.step(step))
        for name, value, below in zip(rows.names, values.superpopulation, values.denominator, strict=True):
            key = quantity_id(quantity, step.name, list(name), "superpopulation")
            if key in found:
                empty += int((below <= 0).sum())
                np.testing.assert_allclose(found[key], value)
    assert empty
