"""Several totals at once against direct convolution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multinomial

from attrition.models.sums.op import log_probability, value_and_gradient
from attrition.models.sums.point import GRID


def stage_totals(categories):
    """Totals of "reached stage d" from counts by category 1, …, D."""
    return np.cumsum(np.asarray(categories, float)[:, ::-1], axis=1)[:, ::-1]


def evaluate(pi, n, categories, means=None):
    totals = stage_totals(categories)
    k = len(totals)
    others = None
    if means is not None:
        others = np.tile(np.log(np.maximum(means, 1e-300)), (k, 1))
    return value_and_gradient(np.tile(np.log(pi), (k, 1, 1)), np.tile(n, (k, 1)), totals, totals, others)


def central(pmf, mass=0.998):
    """Category totals that hold ``mass``, most probable first, and their probabilities."""
    order = np.argsort(-pmf.ravel())
    kept = order[: np.searchsorted(np.cumsum(pmf.ravel()[order]), mass * pmf.sum()) + 1]
    return np.stack(np.unravel_index(kept, pmf.shape), axis=1), pmf.ravel()[kept]


def compare(pmf, pi, n, means=None):
    categories, truth = central(pmf)
    value, _, _ = evaluate(pi, n, categories, means)
    error = np.abs(value - np.log(truth))
    return error, (truth * error).sum(), np.prod(categories + 1, axis=1) if means is not None else None


@pytest.mark.parametrize(
    ("seed", "cells", "units", "concentration", "worst", "usual"),
    [
        (1, 5, 10, [4, 2, 1], 1e-3, 5e-5),
        (2, 8, 16, [8, 1, 1], 1e-3, 5e-5),
        (3, 3, 30, [2, 1, 1], 1e-3, 5e-5),
        (4, 4, 14, [0.3, 0.3, 0.3], 5e-2, 2e-3),
    ],
)
def test_two_stages(many_stages_pmf, seed, cells, units, concentration, worst, usual):
    rng = np.random.default_rng(seed)
    pi, n = rng.dirichlet(concentration, cells), np.full(cells, float(units))
    pmf = many_stages_pmf(pi, n, [min(int(n.sum()), 50)] * 2)
    error, weighted, _ = compare(pmf, pi, n)
    assert error.max() <= worst
    assert weighted <= usual


def test_three_stages_with_few_units_each(many_stages_pmf):
    rng = np.random.default_rng(5)
    pi, n = rng.dirichlet([3, 1, 1, 1], 4), np.array([10.0, 9, 8, 9])
    pmf = many_stages_pmf(pi, n, [16] * 3)
    error, weighted, _ = compare(pmf, pi, n)
    assert error.max() <= 2e-2
    assert weighted <= 5e-4


def test_small_grids_are_exact(many_stages_pmf):
    rng = np.random.default_rng(6)
    pi, n = rng.dirichlet([30, 1, 1], 8), np.full(8, 9.0)
    pmf = many_stages_pmf(pi, n, [12, 12])
    categories = np.array([(a, b) for a in range(13) for b in range(13)])
    value, gradient, _ = evaluate(pi, n, categories)
    error = np.abs(value - np.log(pmf.ravel()))
    small = (categories + 1).prod(axis=1) <= GRID
    assert error[small].max() <= 1e-11
    # Beyond, a saddlepoint takes over: its error where it is worst, at the smallest counts it serves.
    assert error[~small].max() <= 5e-3
    # The gradient is the expected count of each cell, and these add up to the totals.
    np.testing.assert_allclose(gradient[:, :, 1:].sum(axis=1), categories, atol=1e-9)


@pytest.mark.parametrize("means", [(4.0, 2.0), (0.0, 5.0), (3.0, 0.0)])
def test_other_origins(many_stages_pmf, means):
    rng = np.random.default_rng(7)
    pi, n = rng.dirichlet([4, 1, 1], 4), np.array([15.0, 12, 10, 14])
    pmf = many_stages_pmf(pi, n, [45, 45], means)
    categories, truth = central(pmf)
    value, _, _ = evaluate(pi, n, categories, means)
    assert np.abs(value - np.log(truth)).max() <= 1e-3
    # Where all units of the cells are needed for a category without other origins.
    if 0.0 in means:
        edge = np.array([[51, 3], [51, 0]]) if means[0] == 0.0 else np.array([[3, 51], [0, 51]])
        full = many_stages_pmf(pi, n, edge.max(axis=0), means)
        np.testing.assert_allclose(evaluate(pi, n, edge, means)[0], np.log(full[tuple(edge.T)]), atol=1e-9)
        assert evaluate(pi, n, edge + (edge == 51), means)[0].max() == -np.inf


def test_one_cell_is_a_multinomial():
    pi, n = np.array([[0.5, 0.2, 0.2, 0.1]]), np.array([1000.0])
    categories = np.array([[210, 190, 95], [1, 0, 2], [0, 0, 0], [0, 0, 1000], [600, 400, 1]])
    value, gradient, _ = evaluate(pi, n, categories)
    whole = np.column_stack([1000 - categories.sum(axis=1), categories])
    np.testing.assert_allclose(value[:4], multinomial.logpmf(whole[:4], 1000, pi[0]), atol=1e-9)
    assert value[4] == -np.inf
    np.testing.assert_allclose(gradient[:4, 0], whole[:4])


def test_cells_of_equal_rates_are_one_multinomial():
    pi = np.tile([0.6, 0.25, 0.1, 0.05], (4, 1))
    n = np.array([100.0, 300, 50, 550])
    categories = np.array([[250, 100, 50], [300, 60, 20], [100, 80, 200], [250, 100, 1], [1, 1, 998]])
    whole = np.column_stack([1000 - categories.sum(axis=1), categories])
    value, _, _ = evaluate(pi, n, categories)
    np.testing.assert_allclose(value, multinomial.logpmf(whole, 1000, pi[0]), atol=6e-3)


def test_an_empty_category_is_left_out_exactly(many_stages_pmf):
    """Nobody between the stages, or nobody past the first: a problem with one category less."""
    pi, n = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.7, 0.1, 0.2]]), np.array([20.0, 25, 15])
    for gone, kept in ((1, [0, 2]), (2, [0, 1]), (0, [1, 2])):
        categories = np.array([[30.0, 30.0, 30.0]])
        categories[0, gone] = 0.0
        value, gradient, _ = evaluate(pi, n, categories[:, 1:])
        expected = log_probability(np.log(pi[None][:, :, kept]), n[None], [[30.0]], [[30.0]])
        assert value[0] == pytest.approx(expected[0], abs=1e-12)
        assert not gradient[0, :, gone].any()


def test_totals_cannot_rise():
    pi, n = np.array([[[0.5, 0.3, 0.2]]]), np.array([[20.0]])
    assert log_probability(np.log(pi), n, [[5.0, 6.0]], [[5.0, 6.0]])[0] == -np.inf
    assert log_probability(np.log(pi), n, [[21.0, 6.0]], [[21.0, 6.0]])[0] == -np.inf


GRADIENTS = {
    "one stage": ([4, 2], [40.0], None),
    "saddlepoint": ([4, 2, 1], [60.0, 20.0], None),
    "three stages": ([4, 2, 1, 1], [80.0, 50.0, 20.0], None),
    "grid": ([4, 2, 1], [6.0, 2.0], None),
    "other origins": ([4, 2, 1], [60.0, 20.0], [5.0, 3.0]),
    "other origins at the last": ([4, 2, 1], [60.0, 20.0], [0.0, 3.0]),
    "other origins, none seen": ([4, 2, 1], [60.0, 0.0], [5.0, 3.0]),
    "nobody stops between": ([4, 2, 1], [60.0, 60.0], None),
    "far off": ([4, 2, 1], [115.0, 3.0], None),
}


def numerical(function, at, step=1e-4):
    """Fourth-order central differences."""
    result = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        move = np.zeros_like(at)
        move[place] = step
        near = function(at + move) - function(at - move)
        far = function(at + 2 * move) - function(at - 2 * move)
        result[place] = (8 * near - far) / (12 * step)
    return result


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_is_that_of_the_value(name):
    concentration, totals, means = GRADIENTS[name]
    n = np.array([[30.0, 20, 40, 10, 25]])
    log_pi = np.log(np.random.default_rng(9).dirichlet(concentration, 5))[None]
    others = np.full((1, len(totals)), -1e3) if means is None else np.log(np.maximum([means], 1e-300))
    at = [totals]
    _, gradient, of_means = value_and_gradient(log_pi, n, at, at, others)
    scale = np.abs(gradient).max()
    truth = numerical(lambda x: log_probability(x, n, at, at, others)[0], log_pi)
    np.testing.assert_allclose(gradient, truth, atol=1e-7 * scale)
    if means is not None:
        truth = numerical(lambda x: log_probability(log_pi, n, at, at, x)[0], others)
        np.testing.assert_allclose(of_means, truth, atol=1e-6)
