"""The fused operations of the field and of paths: values by a second route, gradients by central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.stats import binom, norm

from attrition.models import paths
from attrition.models.basis import helmert
from attrition.models.batches import Batch
from attrition.models.field import FieldDraws, apply_bases
from attrition.models.field_op import field_eta, field_prior, make_design
from attrition.models.path_op import chances
from attrition.models.scales_op import draw_coordinates, log_scales, spread_prior

Arrays = tuple[np.ndarray, ...]


def slopes_agree(
    value: Callable[..., np.ndarray], slopes: list[np.ndarray], at: Arrays, step: float = 1e-6
) -> None:
    """Every slope of a scalar function equals its central difference."""
    for which, slope in enumerate(slopes):
        for index in np.ndindex(at[which].shape):
            ends = []
            for sign in (1, -1):
                moved = [x.copy() for x in at]
                moved[which][index] += sign * step
                ends.append(float(value(*moved)))
            assert slope[index] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-6)


def scalar(
    interpreted, inputs, output, weights
) -> tuple[Callable[..., np.ndarray], Callable[..., list[np.ndarray]]]:
    """A weighted sum of an operation's output, and its gradient."""
    total = (output * weights).sum()
    value = pytensor.function(inputs, total, mode=interpreted)
    return value, pytensor.function(inputs, pytensor.grad(total, list(inputs)), mode=interpreted)


@pytest.fixture(scope="module")
def parts(small):
    rng = np.random.default_rng(1)
    design = make_design(small.blocks, small.layout)
    free = len(design.block)
    weight = rng.uniform(0, 1, (2, free))
    at = rng.normal(size=2), rng.normal(size=(2, free)), rng.normal(-0.5, 0.4, (2, len(small.blocks)))
    return design, weight, at


class TestField:
    def test_values_equal_field_draws(self, small, parts, interpreted):
        design, weight, (intercept, z, log_sd) = parts
        inputs = pt.dvector(), pt.dmatrix(), pt.dmatrix()
        eta = pytensor.function(inputs, field_eta(*inputs, weight, design), mode=interpreted)(
            intercept, z, log_sd
        )
        values, sd, start = {}, {}, 0
        for number, block in enumerate(small.blocks):
            shape = (small.layout.size,) if block.cellwise else tuple(basis.free for basis in block.bases)
            size = int(np.prod(shape))
            scale = np.exp((1 - weight[:, start : start + size]) * log_sd[:, [number]])
            free = (z[:, start : start + size] * scale).reshape(1, 2, *shape)
            values[block.name] = free if block.cellwise else apply_bases(free, block.bases)
            sd[block.name] = np.exp(log_sd[None, :, number])
            start += size
        draws = FieldDraws(intercept[None], sd, values, np.ones((1, 2)))
        np.testing.assert_allclose(eta, draws.eta(small.blocks, small.layout)[0], rtol=1e-12, atol=1e-12)

    def test_gradient(self, parts, interpreted):
        design, weight, at = parts
        inputs = pt.dvector(), pt.dmatrix(), pt.dmatrix()
        output = field_eta(*inputs, weight, design)
        weights = np.random.default_rng(2).normal(size=(2, len(design.level)))
        value, gradient = scalar(interpreted, inputs, output, weights)
        slopes_agree(value, gradient(*at), at)

    def test_prior(self, parts, interpreted):
        design, weight, (_, z, log_sd) = parts
        inputs = pt.dmatrix(), pt.dmatrix()
        output = field_prior(*inputs, weight, design.block)
        value, gradient = scalar(interpreted, inputs, output, 1.7)
        expected = norm.logpdf(z, 0, np.exp(weight * log_sd[:, design.block])).sum()
        assert value(z, log_sd) == pytest.approx(1.7 * expected, rel=1e-12)
        slopes_agree(value, gradient(z, log_sd), (z, log_sd))


class TestScales:
    @pytest.mark.parametrize("blocks", [1, 2, 5])
    def test_scales_split_the_total(self, blocks, interpreted):
        h = np.random.default_rng(blocks).normal(size=(3, blocks))
        node = pt.dmatrix()
        value, gradient = scalar(
            interpreted, (node,), log_scales(node, blocks), np.arange(3.0 * blocks).reshape(3, -1)
        )
        log_sd = pytensor.function([node], log_scales(node, blocks), mode=interpreted)(h)
        np.testing.assert_allclose((np.exp(log_sd) ** 2).sum(axis=1), np.exp(2 * h[:, 0]))
        ratios = 2 * (log_sd - log_sd.mean(axis=1, keepdims=True))
        np.testing.assert_allclose(ratios, h[:, 1:] @ helmert(blocks).T, atol=1e-12)
        slopes_agree(value, gradient(h), (h,))

    def test_prior_gradient(self, interpreted):
        h = np.random.default_rng(3).normal(size=(2, 4))
        node = pt.dmatrix()
        value, gradient = scalar(interpreted, (node,), spread_prior(node, 4, 0.8), 1.0)
        slopes_agree(value, gradient(h), (h,))

    def test_prior_is_a_density_and_draws_follow_it(self, interpreted):
        """Integrated over the plane of two blocks: one in all, and below a point what the sampler gives."""
        node = pt.dmatrix()
        logp = pytensor.function([node], spread_prior(node, 2, 0.8), mode=interpreted)
        total, split = np.linspace(-9, 2, 150), np.linspace(-14, 14, 150)
        density = np.array([[np.exp(logp(np.array([[a, b]]))) for b in split] for a in total])
        cell = (total[1] - total[0]) * (split[1] - split[0])
        assert density.sum() * cell == pytest.approx(1, abs=2e-3)
        rng = np.random.default_rng(4)
        draws = draw_coordinates(rng, 0.8, (5000, 2))
        for a, b in ((-0.5, 0.0), (0.0, 1.0), (-1.0, -1.0)):
            below = density[np.ix_(total < a, split < b)].sum() * cell
            assert ((draws[:, 0] < a) & (draws[:, 1] < b)).mean() == pytest.approx(below, abs=0.03)


def batch_of(segment: list[list[list[int]]], depth: int) -> Batch:
    """Paths alone; what is seen of them does not enter."""
    array = np.array(segment, dtype=np.int8)
    s, m, _ = array.shape
    end = bool((array == depth).any())
    blank = np.zeros((s, depth))
    return Batch(
        "exact", (), np.zeros(array.shape, np.int32), array, np.zeros(array.shape, np.int8), False, end,
        np.ones((s, m), bool), np.ones((s, m)), blank, blank, tuple(range(s)), ("",) * s,
    )  # fmt: skip


# One stage after two steps; two stages one after the other; a later known stage for one of two cells; padding.
PATHS = {
    "skipped": batch_of([[[0, 0]], [[0, 0]]], 1),
    "two stages": batch_of([[[0, 1, -1], [0, 0, 1]]], 2),
    "known later": batch_of([[[0, 1, 1], [0, -1, -1]], [[0, 1, -1], [0, 0, 1]]], 1),
    "two stages, known later": batch_of([[[0, 1, 2], [0, 1, -1]]], 2),
}


def by_enumeration(eta: np.ndarray, segment: np.ndarray, depth: int) -> np.ndarray:
    """Log chances of one unit's furthest stage among those spoken of, given that it does not reach the end."""
    used = segment[segment >= 0]
    rates = 1 / (1 + np.exp(-eta[segment >= 0]))
    chance = np.zeros(depth + 1)
    for passed in range(len(used) + 1):
        stops = 1 - rates[passed] if passed < len(used) else 1.0
        if passed == len(used) and depth in used:
            continue
        reached = sum(d not in used[passed:] for d in range(depth))
        chance[reached] += rates[:passed].prod() * stops
    return np.log(chance / chance.sum())


class TestPaths:
    @pytest.mark.parametrize("name", PATHS)
    def test_chances(self, name, interpreted):
        batch = PATHS[name]
        eta = np.random.default_rng(6).normal(size=batch.segment.shape)
        node = pt.dtensor3()
        found = pytensor.function([node], chances(node, batch), mode=interpreted)(eta)
        np.testing.assert_allclose(found, paths.categories(eta, batch, paths.ARRAY), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(np.exp(found).sum(axis=-1), 1)
        for row in np.ndindex(batch.segment.shape[:2]):
            np.testing.assert_allclose(found[row], by_enumeration(eta[row], batch.segment[row], batch.depth))

    @pytest.mark.parametrize("name", PATHS)
    def test_gradient(self, name, interpreted):
        batch = PATHS[name]
        eta = np.random.default_rng(7).normal(size=batch.segment.shape)
        node = pt.dtensor3()
        weights = np.random.default_rng(8).normal(size=(*batch.segment.shape[:2], batch.depth + 1))
        value, gradient = scalar(interpreted, (node,), chances(node, batch), weights)
        slopes_agree(value, gradient(eta), (eta,))

    def test_a_count_between_two_known_ones(self):
        """N_s - N_b given N_a and N_b is binomial with the last chance: Bayes' rule over a chain of two binomials."""
        p, q, n, after = 0.45, 0.3, 9, 2
        eta = np.log([[[p / (1 - p), q / (1 - q)]]])
        batch = batch_of([[[0, 1]]], 1)
        last = np.exp(paths.categories(eta, batch, paths.ARRAY))[0, 0, 1]
        between = np.arange(after, n + 1)
        joint = binom.pmf(between, n, p) * binom.pmf(after, between, q)
        np.testing.assert_allclose(binom.pmf(between - after, n - after, last), joint / joint.sum())

    def test_extreme_rates_stay_finite(self, interpreted):
        batch = PATHS["known later"]
        node = pt.dtensor3()
        for size in (-60.0, 30.0):
            eta = np.full(batch.segment.shape, size)
            value, gradient = scalar(interpreted, (node,), chances(node, batch), 1.0)
            assert np.isfinite(value(eta))
            assert np.isfinite(gradient(eta)[0]).all()

    def test_mean_and_variance_along_ratio_steps(self):
        """The law of total variance through a probability step, a ratio and another probability step, by hand."""
        p, rate, q, phi, n = 0.4, 2.5, 0.6, 1.8, 20.0
        batch = batch_of([[[0, 0, 0]]], 1)
        step = np.arange(3, dtype=np.int8)[None, None]
        batch = Batch(**{**vars(batch), "step": step, "n": np.array([[n]])})
        eta = np.array([[[np.log(p / (1 - p)), np.log(rate), np.log(q / (1 - q))]]])
        mean, variance = paths.ratio_mean(
            eta, batch, (False, True, False), np.array([1, phi, 1]), paths.ARRAY
        )
        first, spread = n * p, n * p * (1 - p)
        second, spread = first * rate, phi * rate * first + rate**2 * spread
        third, spread = second * q, q * (1 - q) * second + q**2 * spread
        assert mean[0, 0] == pytest.approx(third)
        assert variance[0, 0] == pytest.approx(spread)
        many = np.repeat(eta[None], 4, axis=0), np.repeat(np.array([[1, phi, 1]]), 4, axis=0)
        stacked = paths.ratio_mean(many[0], batch, (False, True, False), many[1], paths.ARRAY)
        np.testing.assert_allclose(stacked, np.broadcast_to([[[[third]]], [[[spread]]]], (2, 4, 1, 1)))
