"""The approximation at given scales, against dense linear algebra, differences, the sampled model and brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pymc.model.transform.optimization import freeze_dims_and_data
from pytensor import tensor as pt
from scipy.special import logsumexp
from scipy.stats import norm

from attrition.estimation.engines.arrow import factor
from attrition.estimation.engines.grid import INTERCEPT
from attrition.estimation.engines.laplace.cells import integrated
from attrition.estimation.engines.laplace.gradient import gradient, leaning, pulling
from attrition.estimation.engines.laplace.mean import mean_shift
from attrition.estimation.engines.laplace.point import Warm, approximate, best, cold, nearby, precisions
from attrition.estimation.engines.laplace.prior import log_prior
from attrition.estimation.engines.laplace.worlds import make_worlds
from attrition.models.compile import compile_model
from attrition.models.field import FieldDraws
from attrition.models.field_op import make_design
from attrition.models.scales_op import log_scales

from ...panels import bind, make_panel

THETA = np.log([0.5, 0.7, 0.3, 0.4, 0.2, 0.35])


@pytest.fixture(scope="module")
def dense(world):
    """Design (N, F) of all coefficients, an orthonormal basis of those allowed (F, F'), and a factor."""
    grid = world.grid
    rows = len(grid.n)
    own = [np.kron(np.eye(rows)[[j]], grid.inner) for j in range(rows)]
    design = np.concatenate([np.tile(grid.border, (rows, 1)), np.concatenate(own)], axis=1)
    held = np.concatenate([np.zeros((len(grid.constraints), grid.border.shape[1])),
                           grid.constraints.reshape(len(grid.constraints), -1)], axis=1)  # fmt: skip
    free = np.linalg.svd(held)[2][len(held) :].T
    weight = np.random.default_rng(0).uniform(0.2, 4, grid.n.shape)
    border, inner = precisions(world, THETA)
    precision = design.T @ (weight.ravel()[:, None] * design) + np.diag([*border, *np.tile(inner, rows)])
    return design, free, free.T @ precision @ free, factor(grid, weight, border, inner)


def test_arrow_is_dense_algebra(world, dense):
    design, free, precision, arrow = dense
    inverse = free @ np.linalg.inv(precision) @ free.T
    assert arrow.log_det == pytest.approx(np.linalg.slogdet(precision)[1])
    rng = np.random.default_rng(1)
    rows, width = world.grid.n.shape[0], world.grid.inner.shape[1]
    shared, own = rng.normal(size=world.grid.border.shape[1]), rng.normal(size=(rows, width))
    found = arrow.solve(shared, own)
    np.testing.assert_allclose(np.concatenate([found[0], found[1].ravel()]),
                               inverse @ np.concatenate([shared, own.ravel()]), atol=1e-10)  # fmt: skip
    eta, border, inner = arrow.variances()
    np.testing.assert_allclose(eta.ravel(), ((design @ inverse) * design).sum(axis=1))
    np.testing.assert_allclose(np.concatenate([border, inner.ravel()]), np.diag(inverse), atol=1e-12)


@pytest.mark.parametrize("log_sd", [-0.3, 1.2, 3.0])
def test_a_point_far_out_has_a_mode(world, log_sd):
    """Few nodes serve where the cells' effects are small; at a point where they may be wide none was found."""
    theta = THETA.copy()
    theta[world.cell] = log_sd
    few = approximate(replace(world, nodes=5), theta, cold(world))
    assert few.value == pytest.approx(approximate(world, theta, cold(world)).value, abs=0.01)


def test_draws_have_the_inverse_as_covariance(dense):
    _, free, precision, arrow = dense
    shared, own = arrow.draw(np.random.default_rng(2), 40000)
    draws = np.concatenate([shared, own.reshape(len(own), -1)], axis=1)
    wanted = free @ np.linalg.inv(precision) @ free.T
    error = np.sqrt((np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2) / len(draws))
    assert (np.abs(np.cov(draws.T) - wanted) < 5 * error + 1e-12).all()


def test_field_is_the_models_own(blueprint, world):
    """The grid's predictor is the design's, coefficient by coefficient: the same space, the same variances."""
    grid, layout = world.grid, blueprint.layout
    blocks = tuple(block for block in blueprint.blocks if not block.cellwise)
    design = make_design(blocks, layout)
    matrix = design.outer @ design.inner
    values = sum(matrix[design.level[:, b]].toarray() for b in range(len(blocks)))
    for number in range(len(blocks)):
        mine = values[:, design.block == number]
        wanted = mine @ mine.T
        border, inner = grid.border[:, grid.border_block == number], grid.inner[:, grid.inner_block == number]
        if border.shape[1]:
            found = np.tile(border @ border.T, (len(grid.n), len(grid.n)))
        else:
            # Levels of jurisdictions are independent but for their zero sum.
            rows = len(grid.n)
            found = np.kron(np.eye(rows) - 1 / rows, inner @ inner.T)
        np.testing.assert_allclose(found[np.ix_(grid.cell, grid.cell)], wanted, atol=1e-10)


def test_gradient(world):
    warm = cold(world)
    found = gradient(world, approximate(world, THETA, warm))
    h = 1e-4
    ends = [
        [approximate(world, THETA + sign * h * one, warm.copy()).value for sign in (1, -1)]
        for one in np.eye(6)
    ]
    np.testing.assert_allclose(found, [(up - down) / (2 * h) for up, down in ends], rtol=1e-3, atol=1e-4)


def test_one_factor_beside_the_mode_says_all(world):
    """Where the mode leans to, a step on paper gives the value and the mode that a whole search finds."""
    top = approximate(world, THETA, warm := cold(world))
    lean, pull, rng = leaning(world, top), pulling(world, top), np.random.default_rng(4)
    aways = rng.normal(size=(40, world.blocks)) * 0.4
    errors, plain = [], []
    for away in aways:
        start = (top.shared + away @ lean[0], top.own + np.tensordot(away, lean[1], axes=1))
        near = nearby(world, THETA + away, Warm(*start, warm.effect.copy()), pull)
        found = approximate(world, THETA + away, Warm(*start, warm.effect.copy()))
        errors.append(near.value - found.value)
        plain.append(
            nearby(world, THETA + away, Warm(*start, warm.effect.copy()), 0 * pull).value - found.value
        )
        far = np.linalg.norm(start[0] - found.shared) + np.linalg.norm(start[1] - found.own)
        left = np.linalg.norm(near.shared - found.shared) + np.linalg.norm(near.own - found.own)
        assert left < 0.2 * far
    assert np.abs(errors).max() < 0.03
    assert np.square(errors).mean() < 0.1 * np.square(plain).mean()


def test_a_start_far_away_takes_more_steps(world):
    away = nearby(world, THETA, cold(world), np.zeros(world.grid.n.shape))
    assert away.value == pytest.approx(approximate(world, THETA, cold(world)).value, abs=0.05)


@pytest.mark.parametrize("shift", [-2.0, 0.0, 1.0])
def test_no_scales_give_more_than_the_rates_that_were_seen(world, shift):
    assert approximate(world, np.full(world.blocks, shift), cold(world)).value < best(world)


def split_jacobian(h):
    """Log Jacobian of the log scales (B,) by the sampler's coordinates of them (1, B), by differences."""
    columns = []
    for k in range(h.size):
        step = np.zeros_like(h)
        step[0, k] = 1e-5
        ends = [log_scales(pt.constant(h + sign * step), h.size).eval()[0] for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / 2e-5)
    return np.linalg.slogdet(np.array(columns))[1]


def test_one_density(blueprint, world):
    """Scales, field, cell effects and counts have the sampled model's log density at random points."""
    compiled = compile_model(blueprint)
    model = freeze_dims_and_data(compiled.model)
    names = [v.name for v in model.value_vars]
    blocks = blueprint.blocks
    outputs = model.replace_rvs_by_values(
        [model[f"{what}_{b.name}"] for what in ("sd", "effect") for b in blocks]
    )
    program = model.compile_fn(
        [model.logp(), *outputs], inputs=model.value_vars, mode="FAST_COMPILE", point_fn=False
    )
    start = model.initial_point(0)
    rng = np.random.default_rng(4)
    weight = np.concatenate([w.ravel() for w in compiled.weights])
    which = make_design(blocks, blueprint.layout).block
    there, here = [], []
    for _ in range(3):
        point = {name: start[name] + 0.4 * rng.standard_normal(np.shape(start[name])) for name in names}
        whole, *rest = program(*(point[name] for name in names))
        there.append(float(whole))
        theta = np.log([float(sd[0]) for sd in rest[: len(blocks)]])
        values = {b.name: value[None] for b, value in zip(blocks, rest[len(blocks) :], strict=True)}
        intercept = np.ravel(point["intercept"])
        draws = FieldDraws(intercept[None], {}, values, np.ones((1, 1)))
        eta = np.zeros(world.grid.n.shape)
        eta.ravel()[world.grid.cell] = draws.eta(blocks, blueprint.layout)[0, 0]
        counts = integrated(eta, world.grid.y, world.grid.n, 0.0, np.zeros_like(eta)).value.sum()
        scale = theta[which]
        coefficient = point["z"].ravel() * np.exp((1 - weight) * scale)
        field = norm.logpdf(coefficient, 0, np.exp(scale)).sum() + ((1 - weight) * scale).sum()
        prior = log_prior(blueprint, theta)[0] + split_jacobian(point["spread"])
        middle = norm.logpdf(intercept, world.location, world.precision**-0.5).sum()
        here.append(counts + field + prior + middle)
    np.testing.assert_allclose(np.diff(here), np.diff(there), rtol=1e-8)


def test_prior_slope(blueprint):
    h = 1e-6
    ends = [[log_prior(blueprint, THETA + s * h * one)[0] for s in (1, -1)] for one in np.eye(len(THETA))]
    slope = [(up - down) / (2 * h) for up, down in ends]
    np.testing.assert_allclose(log_prior(blueprint, THETA)[1], slope, rtol=1e-6)


N, Y = (4, 9), (0, 0)


def brute(scales, location, sd):
    """Log integral and mean intercept of two sparse places, by a grid over intercept, contrast and cell effects."""
    a = np.linspace(-9, 3, 601)[:, None, None]
    b = np.linspace(-5, 5, 301)[None, :, None] * scales[0]
    e = np.linspace(-6, 6, 161) * scales[1]
    log = norm.logpdf(a[..., 0], location, sd) + norm.logpdf(b[..., 0], 0, scales[0])
    for sign, n, y in zip((1, -1), N, Y, strict=True):
        x = a + sign * b / np.sqrt(2) + e
        each = y * x - n * np.logaddexp(0, x) + norm.logpdf(e, 0, scales[1])
        log = log + logsumexp(each, axis=2) + np.log(e[1] - e[0])
    weight = np.exp(log - log.max())
    mean = (weight * a[..., 0]).sum() / weight.sum()
    area = (a[1, 0, 0] - a[0, 0, 0]) * (b[0, 1, 0] - b[0, 0, 0])
    spread = np.sqrt((weight * (a[..., 0] - mean) ** 2).sum() / weight.sum())
    return logsumexp(log) + np.log(area), mean, spread


def test_against_brute_force():
    """The scales' density, and the mean: the mode alone is off, the variational steps repair most of it."""
    facts = [(stage, f"o/j{k}/2020", "exact", count[k])
             for k in range(2) for stage, count in (("referral", N), ("investigation", Y))]  # fmt: skip
    panel = make_panel(facts, ["o"], ["j0", "j1"], ["2020"], stages=("referral", "investigation"))
    blueprint = bind(panel, ["intercept", "jurisdiction", "cell"])
    (world,) = make_worlds(blueprint)
    sd = world.precision**-0.5
    values = []
    for scales in ((0.8, 0.4), (0.3, 0.7)):
        warm = cold(world)
        point = approximate(world, np.log(scales), warm)
        exact, mean, spread = brute(scales, world.location, sd)
        values.append((point.value, exact))
        at = world.grid.border_block == INTERCEPT
        mode = world.location + point.shared[at][0]
        shift = mean_shift(np.random.default_rng(0), world, point, warm, steps=6, draws=400)[0][at][0]
        assert abs(mode - mean) > 0.1 * spread
        assert mode + shift == pytest.approx(mean, abs=0.06 * spread)
    (one, exact_one), (two, exact_two) = values
    assert one - two == pytest.approx(exact_one - exact_two, abs=0.03)
