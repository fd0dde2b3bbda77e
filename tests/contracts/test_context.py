"""The contextual term: where it is part of a rate, what it multiplies, and its density by a second route."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.special import expit
from scipy.stats import binom, nbinom, norm

from attrition.data.funnel import Step
from attrition.estimation.fresh import FreshRates
from attrition.models import field
from attrition.models.blueprint import Blueprint
from attrition.models.compile import compile_model
from attrition.models.field import FieldDraws, spread
from attrition.models.rates import rates_of

from ..panels import Fact, bind, make_panel

REFERRALS = {"X": (10, 5), "Y": (3, 12), "Z": (9, 2)}
TOTALS = {"X": 4, "Y": 2, "Z": 7}
CONTEXT = {"kind": "context", "scale": 1.5}


def facts(referrals: dict[str, tuple[int, int]], stage: str = "investigation") -> list[Fact]:
    """Referrals of two offenses by place, and the total over offenses of a later stage."""
    out: list[Fact] = []
    for place, pair in referrals.items():
        out += [("referral", f"{o}/{place}", "exact", n) for o, n in zip("ab", pair, strict=True)]
        out.append((stage, f"all/{place}", "exact", TOTALS[place]))
    return out


def bound(told: list[Fact], context: dict[str, object] = CONTEXT, **of) -> Blueprint:
    stages = tuple(dict.fromkeys(str(fact[0]) for fact in told))
    return bind(make_panel(told, "ab", "XYZ", stages=stages, **of), ["intercept", context])


def in_rate(blueprint: Blueprint) -> bool:
    return any(block.name == "context" for block in blueprint.blocks)


@pytest.fixture(scope="module")
def margins() -> Blueprint:
    return bound(facts(REFERRALS))


def test_it_is_part_of_rates_that_sums_alone_inform(margins):
    assert in_rate(margins)
    assert margins.because["context"].startswith(
        "In the rate of referral-investigation, informed by sums over"
    )
    default = bind(make_panel(facts(REFERRALS), "ab", "XYZ", stages=("referral", "investigation")))
    assert in_rate(default)


def test_a_count_of_one_offense_takes_it_out():
    told = [*facts(REFERRALS), ("investigation", "a/X", "exact", 3)]
    assert not in_rate(bound(told))
    assert "counts one offense by itself" in bound(told).because["context"]
    assert in_rate(bound(told, CONTEXT | {"steps": "all"}))


def test_a_total_where_all_referrals_are_of_one_offense_does_not():
    """It tells that offense's rate in a place without any other, which is just what may be another rate."""
    assert in_rate(bound(facts(REFERRALS | {"Z": (9, 0)})))


@pytest.mark.parametrize(
    ("referrals", "context", "why"),
    [
        ({"X": (4, 2), "Y": (8, 4), "Z": (6, 3)}, {}, "same everywhere"),
        (REFERRALS, {"scale": 0.0, "reason": "a mix that tells nothing"}, "a mix that tells nothing"),
    ],
)
def test_no_mix_to_speak_of_or_no_scale_leaves_it_out(referrals, context, why):
    found = bound(facts(referrals), CONTEXT | context)
    assert not in_rate(found)
    assert why in found.because["context"]


def departures(referrals: dict[str, tuple[int, int]]) -> np.ndarray:
    """(O, J): shares less their mean over the referrals of the offense, in the words of the effect."""
    n = np.array(list(referrals.values()), dtype=float).T
    share = n / n.sum(axis=0)
    return share - (np.sum(n * share, axis=1) / n.sum(axis=1))[:, None]


def test_it_leaves_the_rate_over_all_places_where_it_is(margins):
    by = margins.blocks[0].slope.by[..., 0]
    np.testing.assert_allclose(by, departures(REFERRALS), rtol=1e-12)
    n = np.array(list(REFERRALS.values())).T
    np.testing.assert_allclose((n * by).sum(axis=1), 0, atol=1e-12)


def test_the_predictor_of_draws_is_levels_times_departures(margins, monkeypatch):
    draws = margins.prior_draws(np.random.default_rng(1), 7)
    part = spread(draws.values["context"], margins.blocks[0], margins.layout)
    expected = draws.intercept[..., None] + part
    assert np.abs(part).max() > 0
    np.testing.assert_allclose(margins.predictor(draws), expected, rtol=1e-14)
    # However few rows are worked on together.
    monkeypatch.setattr(field, "_AT_ONCE", 1)
    np.testing.assert_allclose(margins.predictor(draws), expected, rtol=1e-14)


def total_logpmf(total: int, n: tuple[int, int], p: np.ndarray) -> float:
    """Of a sum of two binomial counts, by convolution."""
    each = [binom.pmf(np.arange(k + 1), k, q) for k, q in zip(n, p, strict=True)]
    return float(np.log(np.convolve(*each)[total]))


@pytest.mark.parametrize("ratio", [False, True])
def test_the_density_by_a_second_route(margins, ratio):
    """Normal slopes of given scale; totals by convolution, or negative binomial on a ratio step."""
    told = facts(REFERRALS, "arrest")
    blueprint = bound(told, units={"referral": "report", "arrest": "person"}) if ratio else margins
    compiled = compile_model(blueprint)
    assert "sd_context" not in compiled.hyper
    mode = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    program = compiled.model.compile_logp(mode=mode)
    rng = np.random.default_rng(4)
    by = departures(REFERRALS)
    for _ in range(3):
        point = dict(compiled.model.initial_point())
        point["intercept"] = rng.normal(-1.0, 0.5, 1)
        point["z"] = rng.normal(0.0, 1.0, point["z"].shape)
        location = np.log(0.1) if ratio else np.log(0.1 / 0.9)
        expected = norm.logpdf(point["intercept"][0], location, 1.2)
        (weight,) = compiled.weights
        expected += norm.logpdf(point["z"], 0.0, 1.5**weight).sum()
        slope = (point["z"] * 1.5 ** (1 - weight))[0]
        eta = point["intercept"][0] + slope[:, None] * by
        phi = 1.0
        if ratio:
            phi -= norm.logsf(point["phi_excess_score__"][0])
            expected += norm.logpdf(point["phi_excess_score__"]).sum()
        for j, (place, n) in enumerate(REFERRALS.items()):
            if ratio:
                mean = (np.array(n) * np.exp(eta[:, j])).sum()
                size = mean / (phi - 1)
                expected += nbinom.logpmf(TOTALS[place], size, size / (size + mean))
            else:
                expected += total_logpmf(TOTALS[place], n, expit(eta[:, j]))
        assert float(program(point)) == pytest.approx(expected, rel=1e-8)


def test_a_new_offense_has_a_slope_of_its_own_and_a_new_place_the_same(margins):
    size = 20_000
    rng = np.random.default_rng(5)
    draws = FieldDraws(
        intercept=np.full((size, 1), -1.0),
        sd={"context": np.full((size, 1), 1.5)},
        values={"context": np.broadcast_to(np.array([0.8, -0.4]), (size, 1, 2)).copy()},
        phi=np.ones((size, 1)),
    )
    fresh = FreshRates(margins, draws)
    step: Step = margins.panel.funnel.steps[0]

    def logits(axes: tuple[str, ...]) -> np.ndarray:
        rates = np.concatenate([part for _, part in fresh.paths(rng, axes, step)], axis=1)
        return np.log(rates) - np.log1p(-rates)

    same = rates_of(margins.predictor(draws), (False,))[0, 0]
    np.testing.assert_allclose(logits(("jurisdiction",))[:, 0], np.log(same) - np.log1p(-same), rtol=1e-9)
    told = logits(("offense",))
    by = departures(REFERRALS).ravel()
    np.testing.assert_allclose(told.mean(axis=1), -1.0, atol=4 * 1.5 * np.abs(by).max() / np.sqrt(size))
    np.testing.assert_allclose(told.std(axis=1), 1.5 * np.abs(by), rtol=0.03)
