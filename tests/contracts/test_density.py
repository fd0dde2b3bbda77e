"""One density: the sampler's compiled function, PyMC's, and an independent computation in NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, gammaln
from scipy.stats import binom, halfnorm, nbinom, norm

from attrition.models.field import FieldDraws

from ..panels import complete_tables, stated


def test_compiled_equals_pymc(mixed, ratio):
    for each in (mixed, ratio):
        for x in each.points(3):
            value, _ = each.density.value_and_gradient(x)
            assert value == pytest.approx(each.interpreted(each.split(x)), rel=1e-10)


@pytest.mark.parametrize("name", ["mixed", "ratio"])
def test_gradient_equals_central_differences(name, request):
    each = request.getfixturevalue(name)
    run = each.density.value_and_gradient
    for x in each.points(2):
        _, slope = run(x)
        for i in range(each.density.size):
            ahead, behind = x.copy(), x.copy()
            ahead[i] += 1e-5
            behind[i] -= 1e-5
            numeric = (run(ahead)[0] - run(behind)[0]) / 2e-5
            assert slope[i] == pytest.approx(numeric, rel=2e-6, abs=2e-6)


def zero_sum(levels):
    """Householder's orthonormal basis of the vectors that sum to zero, built from the reflection itself."""
    v = np.full(levels, levels**-0.5)
    v[-1] += 1.0
    # The reflection swaps the last axis and the constant vector; its other columns span the rest.
    return (np.eye(levels) - 2 * np.outer(v, v) / (v @ v))[:, :-1]


def spread_logp(h, scale):
    """Log density of (log T, u): T half-normal, softmax(H u) uniform on the simplex, both Jacobians numeric."""
    total = 0.0
    for log_total, *u in h:
        total += halfnorm.logpdf(np.exp(log_total), scale=scale) + log_total
        basis = zero_sum(len(u) + 1)
        w = np.exp(basis @ u)
        w /= w.sum()
        jacobian = (np.diag(w) - np.outer(w, w)) @ basis
        total += gammaln(len(w)) + np.linalg.slogdet(jacobian[:-1])[1]
    return total


def numpy_prior(each, point):
    """Log prior of an unconstrained point, and the linear predictors (S, A)."""
    blueprint = each.blueprint
    location = np.log(0.1 / 0.9)
    means = np.where(blueprint.ratio_steps, np.log(0.1), location)
    logp = norm.logpdf(point["intercept"], means, 1.2).sum()
    logp += spread_logp(point["spread"], blueprint.prior.spread)
    if "phi_excess_score__" in point:
        logp += norm.logpdf(point["phi_excess_score__"]).sum()
    eta = np.repeat(point["intercept"][:, None], blueprint.layout.size, axis=1)
    places = dict(zip(("offense", "jurisdiction", "period"), blueprint.layout.coordinates, strict=True))
    start = 0
    for number, (block, weight) in enumerate(zip(blueprint.blocks, each.compiled.weights, strict=True)):
        blocks = len(blueprint.blocks)
        log_w = zero_sum(blocks) @ point["spread"][:, 1:].T
        log_w = log_w - np.log(np.exp(log_w).sum(axis=0))
        sd = np.exp(point["spread"][:, 0] + 0.5 * log_w[number])
        size = weight[0].size
        z = point["z"][:, start : start + size]
        start += size
        flat = weight.reshape(len(sd), -1)
        logp += norm.logpdf(z, 0.0, sd[:, None] ** flat).sum()
        u = (z * sd[:, None] ** (1 - flat)).reshape(weight.shape)
        for s in range(len(sd)):
            if block.cellwise:
                eta[s] += u[s]
            elif len(block.bases) == 1:
                eta[s] += (block.bases[0].matrix @ u[s])[places[block.axes[0]]]
            else:
                values = block.bases[0].matrix @ u[s] @ block.bases[1].matrix.T
                eta[s] += values[places[block.axes[0]], places[block.axes[1]]]
    return logp, eta


def test_density_equals_an_independent_computation(mixed):
    """Prior densities by SciPy, the reports by enumeration over complete counts; the cell effect included."""
    blueprint, panel = mixed.blueprint, mixed.blueprint.panel
    assert any(block.cellwise for block in blueprint.blocks)
    first = blueprint.analysis.counts[0]
    for x in mixed.points(3):
        expected, eta = numpy_prior(mixed, mixed.split(x))
        for place in panel.axes.jurisdiction.leaves:
            cells = [c for c in panel.axes.cells("all", place) if np.isfinite(first[c])]
            rates = expit(eta[:, blueprint.layout.positions[cells]])
            counts, probability = complete_tables([int(first[c]) for c in cells], rates)
            told = [s for s in panel.statements if s.jurisdiction == place and s.stage != "referral"]
            # The enumeration knows only this place's cells, and sums name no others of its period.
            expected += np.log(probability[stated(panel, cells, counts, told)].sum())
        value, _ = mixed.density.value_and_gradient(x)
        assert value == pytest.approx(expected, rel=1e-8)


def test_expanded_draws_rebuild_the_linear_predictor(mixed):
    """What is stored of a draw gives back the linear predictor behind its density."""
    points = mixed.points(3)
    named = mixed.density.expand(points)
    blueprint = mixed.blueprint
    draws = FieldDraws(
        named["intercept"],
        {b.name: named[f"sd_{b.name}"] for b in blueprint.blocks},
        {b.name: named[f"effect_{b.name}"] for b in blueprint.blocks},
        np.ones((3, 2)),
    )
    eta = draws.eta(blueprint.blocks, blueprint.layout)
    for x, one in zip(points, eta, strict=True):
        np.testing.assert_allclose(one, numpy_prior(mixed, mixed.split(x))[1], rtol=1e-10, atol=1e-12)
    spread = sum(named[f"sd_{b.name}"] ** 2 for b in blueprint.blocks)
    np.testing.assert_allclose(np.sqrt(spread), named["total_spread"])


def test_ratio_density_equals_an_independent_computation(ratio):
    """Single ratio steps are negative binomial; sums of one φ keep the form; ranges are sums of probabilities."""
    blueprint, panel = ratio.blueprint, ratio.blueprint.panel
    for x in ratio.points(3):
        point = ratio.split(x)
        expected, eta = numpy_prior(ratio, point)
        phi = 1 - norm.logsf(point["phi_excess_score__"][1])
        at = {
            (o, j): eta[:, blueprint.layout.positions[panel.axes.cells(o, j)[0]]]
            for o in "ab"
            for j in panel.axes.jurisdiction.leaves
        }

        def law(mean, factor):
            size = mean / (factor - 1)
            return nbinom(size, size / (size + mean))

        p = {key: expit(value[0]) for key, value in at.items()}
        rate = {key: np.exp(value[1]) for key, value in at.items()}
        (one, two), b, c = (("a", "D"), ("b", "D")), ("a", "B"), (("a", "C"), ("b", "C"))
        expected += binom.logpmf(9, 12, p["a", "A"]) + law(9 * rate["a", "A"], phi).logpmf(14)
        expected += binom.logpmf(9, 12, p[b]) + np.log(law(9 * rate[b], phi).pmf(np.arange(3, 9)).sum())
        # Skipped: the mean and variance of a negative binomial count of a binomial number of units.
        mean = np.array([12 * p[key] * rate[key] for key in c])
        variance = [
            phi * m + rate[key] ** 2 * 12 * p[key] * (1 - p[key]) for m, key in zip(mean, c, strict=True)
        ]
        expected += law(mean.sum(), np.sum(variance) / mean.sum()).logpmf(23)
        expected += binom.logpmf(6, 12, p[one]) + binom.logpmf(9, 12, p[two])
        expected += law(6 * rate[one] + 9 * rate[two], phi).logsf(4)
        value, _ = ratio.density.value_and_gradient(x)
        assert value == pytest.approx(expected, rel=1e-7)
