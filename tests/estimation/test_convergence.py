"""R-hat and effective sample size of many quantities at once, against ArviZ one by one."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats

from attrition.estimation.convergence import convergence, rhat_and_ess


def chains(shape, seed=1):
    """Draws of every sort: independent, slow, alternating, wandering, rounded, of chains that disagree."""
    x = np.random.default_rng(seed).normal(size=shape)
    for draw in range(1, shape[1]):
        x[:, draw, 1::6] += 0.9 * x[:, draw - 1, 1::6]
        x[:, draw, 2::6] -= 0.8 * x[:, draw - 1, 2::6]
    x[..., 3::6] = x[..., 3::6].cumsum(axis=1)
    x[..., 4::6] = x[..., 4::6].round()
    x[0, :, 5::6] += 2
    return x


@pytest.mark.parametrize("shape", [(4, 300, 90), (2, 101, 90), (3, 12, 60), (4, 4, 60)])
def test_both_are_those_of_arviz(shape):
    x = chains(shape)
    rhat, ess = rhat_and_ess(x)
    quantities = np.moveaxis(x, 2, 0)
    np.testing.assert_allclose(rhat, [array_stats.rhat(q).item() for q in quantities], rtol=1e-10)
    np.testing.assert_allclose(ess, [array_stats.ess(q).item() for q in quantities], rtol=1e-10)


def test_the_worst_of_many_and_its_name():
    x = chains((4, 200, 100))
    x[..., 7] = 3.0
    names = [f"q{number}" for number in range(100)]
    found = convergence(x.reshape(-1, 100), names, len(x))
    moving = [number for number in range(100) if number != 7]
    rhat, ess = rhat_and_ess(x[..., moving])
    assert (found.rhat, found.ess, found.quantities) == (rhat.max(), ess.min(), 99)
    assert found.rhat_at == names[moving[rhat.argmax()]]
    assert found.ess_at == names[moving[ess.argmin()]]


def test_nothing_varies():
    found = convergence(np.ones((100, 3)), ["a", "b", "c"], 2)
    assert (found.rhat, found.ess, found.quantities) == (1.0, 100.0, 0)
