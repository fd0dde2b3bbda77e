"""Means and covariances against the brute-force distribution."""

from __future__ import annotations

import numpy as np

from attrition.models.sums.moments import mean_cov, mean_cov_tensor


def test_moments_are_those_of_the_distribution(many_stages_pmf):
    rng = np.random.default_rng(1)
    pi, n, means = rng.dirichlet([3, 2, 1], 3), np.array([9.0, 6, 8]), (1.5, 0.7)
    pmf = many_stages_pmf(pi, n, [40, 40], means)
    first, second = np.meshgrid(np.arange(41), np.arange(41), indexing="ij")
    totals = np.stack([first + second, second])
    mean = (pmf * totals).sum(axis=(1, 2))
    cov = np.einsum("ab,iab,jab->ij", pmf, totals, totals) - np.outer(mean, mean)

    padded = np.full((1, 4, 3), np.nan)
    padded[0, :3] = np.log(pi)
    units = np.append(n, 0)[None]
    found, spread = mean_cov(padded, units, np.log([means]))
    np.testing.assert_allclose(found[0], mean, rtol=1e-10)
    np.testing.assert_allclose(spread[0], cov, rtol=1e-9)

    padded[0, 3] = 0.0
    for graph, truth in zip(mean_cov_tensor(padded, units, np.log([means])), (mean, cov), strict=True):
        np.testing.assert_allclose(graph.eval()[0], truth, rtol=1e-9)
    for graph, truth in zip(mean_cov_tensor(padded, units), mean_cov(padded, units), strict=True):
        np.testing.assert_allclose(graph.eval(), truth, rtol=1e-12)
