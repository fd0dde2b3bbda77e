"""Totals that cross: their one density against enumeration, its gradient, and what it must not be mistaken for."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import binom, nbinom

from attrition.estimation.bounds import Bounds
from attrition.estimation.checks.crossing import CrossingTotals
from attrition.estimation.completion import complete
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import moments, reports
from attrition.models.clashes import SharedCounts
from attrition.models.field import FieldDraws
from attrition.models.sums.normal import margins_logp, margins_logp_and_gradient

from ..panels import bind, group_logp, make_panel

PLACES = ("x", "y", "z")
STAGES = ("referral", "investigation")


def facts_of(n, y, grand=False):
    """Referrals of the cells (offenses a and b, three places), and both margins of the later counts."""
    facts = [
        ("referral", f"{o}/{j}", "exact", int(n[i, k]))
        for i, o in enumerate("ab")
        for k, j in enumerate(PLACES)
    ]
    facts += [("investigation", o, "exact", int(y[i].sum())) for i, o in enumerate("ab")]
    facts += [("investigation", f"all/{j}", "exact", int(y[:, k].sum())) for k, j in enumerate(PLACES)]
    return facts + ([("investigation", "all", "exact", int(y.sum()))] if grand else [])


def blueprint_of(n, y, grand=False, **more):
    return bind(make_panel(facts_of(n, y, grand), "ab", PLACES, stages=STAGES, **more), ["intercept"])


def crossing_logp(n, y, p, grand=False):
    blueprint = blueprint_of(n, y, grand)
    (group,) = blueprint.analysis.groups
    assert group.members.shape == (4, 6)
    eta = np.log(p) - np.log1p(-p)
    return group_logp(blueprint, eta.reshape(1, -1))[0]


def enumerated(pmf, y):
    """Probability of both margins of a 2 × 3 table of independent counts; pmf (2, 3, counts)."""
    rows, columns = y.sum(axis=1), y.sum(axis=0)
    one, two = np.meshgrid(np.arange(columns[0] + 1), np.arange(columns[1] + 1), indexing="ij")
    three = rows[0] - one - two
    good = (three >= 0) & (three <= columns[2])
    top = [np.where(good, z, 0) for z in (one, two, three)]
    chance = np.where(good, 1.0, 0.0)
    for k, z in enumerate(top):
        chance = chance * pmf[0, k][z] * pmf[1, k][columns[k] - z]
    return np.log(chance.sum())


# Within two standard deviations of every margin; the first world is at the edge of what is accepted.
@pytest.mark.parametrize(
    ("units", "low", "high", "tolerance"), [(90, 0.15, 0.5, 0.12), (500, 0.1, 0.6, 0.05)]
)
def test_density_is_near_enumeration(units, low, high, tolerance):
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(6):
        n = rng.integers(units, 2 * units, (2, 3))
        p = rng.uniform(low, high, (2, 3))
        mean, variance = n * p, n * p * (1 - p)
        y = rng.binomial(n, p)
        for axis in (0, 1):
            away = (y.sum(axis) - mean.sum(axis)) / np.sqrt(variance.sum(axis))
            if np.abs(away).max() > 2:
                break
        else:
            pmf = binom.pmf(np.arange(n.max() * 2), n[..., None], p[..., None])
            worst = max(worst, abs(crossing_logp(n, y, p) - enumerated(pmf, y)))
    assert 0 < worst < tolerance


def test_the_grand_total_counts_once_and_margins_are_not_independent():
    rng = np.random.default_rng(2)
    n, p = rng.integers(200, 400, (2, 3)), np.full((2, 3), 0.3)
    y = rng.binomial(n, p)
    once = crossing_logp(n, y, p)
    assert crossing_logp(n, y, p, grand=True) == pytest.approx(once, rel=1e-12)
    apart = sum(binom.logpmf(y.sum(axis), n.sum(axis), 0.3).sum() for axis in (0, 1))
    # Multiplied, the margins would count the grand total twice: about its own log probability.
    assert apart - once == pytest.approx(binom.logpmf(y.sum(), n.sum(), 0.3), abs=0.1)


def test_ratio_paths_have_the_moments_of_negative_binomials():
    rng = np.random.default_rng(3)
    n, rate, phi = rng.integers(100, 200, (2, 3)), rng.uniform(0.5, 1.5, (2, 3)), 2.0
    mean = n * rate
    y = rng.poisson(mean)
    blueprint = blueprint_of(n, y, units={"referral": "report", "investigation": "person"})
    size = (mean / (phi - 1))[..., None]
    pmf = nbinom.pmf(np.arange(2000), size, 1 / phi)
    found = group_logp(blueprint, np.log(rate).reshape(1, -1), phi)[0]
    assert found == pytest.approx(enumerated(pmf, y), abs=0.1)


def test_a_later_known_count_is_conditioned_on():
    """Of a cell whose arrests are known, the investigations that led to none come at a rate of their own."""
    n, y, arrests = np.full((2, 3), 300), np.full((2, 3), 90), 20
    facts = [*facts_of(n, y), ("arrest", "a/x", "exact", arrests)]
    blueprint = bind(make_panel(facts, "ab", PLACES), ["intercept"])
    crossed = [g for g in blueprint.analysis.groups if g.members is not None]
    assert (crossed[0].n[0], crossed[0].end[0], crossed[0].low[0]) == (280, 2, 160)
    p, q = 0.3, 0.4
    number = next(i for i, g in enumerate(blueprint.analysis.groups) if g.members is not None)
    found = group_logp(blueprint, np.log([[p / (1 - p)] * 6, [q / (1 - q)] * 6]))[number]
    chance = np.full(6, p)
    chance[0] = p * (1 - q) / (1 - p * q)
    units = np.r_[280, np.full(5, 300)]
    members = crossed[0].members[None].astype(float)
    by_hand, _, _ = margins_logp_and_gradient(
        [units * chance], [units * chance * (1 - chance)], members, [crossed[0].low]
    )
    assert found == pytest.approx(by_hand[0], rel=1e-10)


def test_gradient_equals_central_differences_and_numba_the_interpreter():
    rng = np.random.default_rng(4)
    members = np.array([[[1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0]]] * 2, dtype=float)
    mean, variance = rng.uniform(20, 60, (2, 6)), rng.uniform(10, 40, (2, 6))
    total = np.einsum("sdm,sm->sd", members, mean) + rng.normal(0, 6, (2, 3))
    value, by_mean, by_variance = margins_logp_and_gradient(mean, variance, members, total)
    for place, slope in enumerate((by_mean, by_variance)):
        for k in range(6):
            step = np.zeros((2, 2, 6))
            step[place, :, k] = 1e-4
            ahead, behind = (
                margins_logp_and_gradient(mean + sign * step[0], variance + sign * step[1], members, total)[0]
                for sign in (1, -1)
            )
            np.testing.assert_allclose((ahead - behind) / 2e-4, slope[:, k], rtol=1e-6, atol=1e-8)
    m, v = pt.dmatrix(), pt.dmatrix()
    logp = margins_logp(m, v, members, total)
    compiled = pytensor.function([m, v], [logp, *pytensor.grad(logp.sum(), [m, v])], mode="NUMBA")
    for one, other in zip(compiled(mean, variance), (value, by_mean, by_variance), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_degenerate_law_has_no_density():
    members = np.array([[[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]])
    value, slope, _ = margins_logp_and_gradient([[1.0, 1.0, 1.0]], [[0.0, 4.0, 0.0]], members, [[2.0, 2.0]])
    assert value[0] == -np.inf
    assert (slope == 0).all()


def test_few_counts_are_refused_with_advice():
    n, y = np.full((2, 3), 40), np.full((2, 3), 3)
    with pytest.raises(SharedCounts, match="totals cross") as caught:
        blueprint_of(n, y)
    assert "row 6" in str(caught.value)
    assert "sum over longer periods" in str(caught.value)


@pytest.mark.parametrize("ratio", [False, True])
def test_every_draw_of_the_counts_meets_every_total(ratio):
    rng = np.random.default_rng(5)
    n = rng.integers(100, 200, (2, 3))
    y = rng.binomial(n, 0.4)
    units = {"referral": "report", "investigation": "person"} if ratio else {}
    blueprint = blueprint_of(n, y, units=units)
    eta = rng.normal(-0.7, 0.3, (40, 1, 6))
    draws = FieldDraws(np.zeros((40, 1)), {}, {}, np.full((40, 1), 1.5 if ratio else 1.0))
    table = complete(rng, blueprint, eta, draws)[:, 1].reshape(40, 2, 3)
    assert (table.sum(axis=2) == y.sum(axis=1)).all()
    assert (table.sum(axis=1) == y.sum(axis=0)).all()
    assert (table >= 0).all()
    assert ratio or (table <= n).all()
    assert len(np.unique(table.reshape(40, -1), axis=0)) > 20
    bounds = Bounds(blueprint.panel, blueprint.analysis).cell_rates(0, 1)
    rates = (table / n).reshape(40, 6)
    assert ((rates >= bounds[:, 0] - 1e-9) & (rates <= bounds[:, 1] + 1e-9)).all()
    assert (bounds[:, 1] < (np.inf if ratio else 1)).any()


def test_the_check_fails_where_the_rates_left_too_little_variation():
    n, y = np.full((2, 3), 200), np.full((2, 3), 60)
    blueprint = blueprint_of(n, y)
    rng = np.random.default_rng(6)
    for logit, verdict in ((-0.85, "passed"), (-4.5, "failed")):
        draws = FieldDraws(np.zeros((30, 1)), {}, {}, np.ones((30, 1)))
        found = moments(rng, blueprint, np.full((30, 1, 6), logit), draws)
        seen = type("Seen", (), {"predicted": [Part.whole(reports(blueprint), found)]})()
        (result,) = CrossingTotals().run(seen)
        assert result.verdict == verdict
        assert (result.value > 3) == (verdict == "passed")
        # By hand: what the other rows and columns leave of one total of cells with equal variance v.
        p = 1 / (1 + np.exp(-logit))
        v = 200 * p * (1 - p)
        covariance = v * np.array([[2, 0, 0, 1], [0, 2, 0, 1], [0, 0, 2, 1], [1, 1, 1, 3]])
        assert result.value == pytest.approx(np.sqrt(1 / np.diag(np.linalg.inv(covariance)).max()))
