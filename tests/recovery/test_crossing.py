"""Rates recovered from both margins of tables whose cells nobody reported."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from attrition.models.sums.normal import margins_logp_and_gradient

WORLDS, POINTS, PLACES = 200, 41, 6
MEMBERS = np.array(
    [np.repeat([o == r for r in range(2)], PLACES) for o in range(2)]
    + [np.tile(np.arange(PLACES) == j, 2) for j in range(PLACES - 1)],
    dtype=float,
)


def covers(logp: np.ndarray, values: np.ndarray, truth: float) -> bool:
    """Does the central 90 % interval of a posterior on a grid hold the truth?"""
    weight = np.exp(logp - logp.max()).ravel()
    order = np.argsort(values.ravel())
    total = np.cumsum(weight[order])
    below = np.searchsorted(values.ravel()[order], truth)
    return bool(0.05 < total[max(below - 1, 0)] / total[-1] < 0.95)


def test_intervals_of_rates_cover_as_often_as_they_say():
    """Flat priors on a grid; margins multiplied as if they were independent count the grand total twice."""
    rng = np.random.default_rng(8)
    joint = {"first": 0, "overall": 0}
    apart = 0
    step = np.linspace(-0.35, 0.35, POINTS)
    for _ in range(WORLDS):
        n = rng.integers(60, 250, (2, PLACES)).astype(float)
        truth = np.array([-1.2, -0.4]) + rng.normal(0, 0.3, 2)
        y = rng.binomial(n.astype(int), 1 / (1 + np.exp(-truth))[:, None])
        one, two = np.meshgrid(truth[0] + step, truth[1] + step, indexing="ij")
        p = 1 / (1 + np.exp(-np.stack([one, two], axis=-1)))
        chance = np.repeat(p.reshape(-1, 2), PLACES, axis=1)
        mean = chance * n.ravel()
        total = np.r_[y.sum(axis=1), y.sum(axis=0)[:-1]].astype(float)
        shape = (len(mean), *MEMBERS.shape)
        logp, _, _ = margins_logp_and_gradient(
            mean, mean * (1 - chance), np.broadcast_to(MEMBERS, shape), np.broadcast_to(total, shape[:2])
        )
        overall, real = mean.sum(axis=1) / n.sum(), (n.sum(axis=1) / (1 + np.exp(-truth))).sum() / n.sum()
        joint["first"] += covers(logp, one, truth[0])
        joint["overall"] += covers(logp, overall, real)
        inside = n * p.reshape(-1, 2)[..., None]
        middle = [inside.sum(axis=axis) for axis in (2, 1)]
        both = sum(
            binom.logpmf(y.sum(axis), n.sum(axis).astype(int), m / n.sum(axis)).sum(axis=1)
            for axis, m in zip((1, 0), middle, strict=True)
        )
        apart += covers(both, overall, real)
    assert all(0.85 <= found / WORLDS <= 0.95 for found in joint.values())
    assert apart / WORLDS < 0.82
