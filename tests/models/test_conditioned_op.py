"""The fused departure against dense linear algebra, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models.conditioned_op import _backward, _forward


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(1)
    size, width, kinds = 4, 9, 3
    matrix, of = rng.normal(size=(size, width)), np.arange(width) % kinds
    gram = np.stack([matrix[:, of == k] @ matrix[:, of == k].T for k in range(kinds)])
    return (
        rng.normal(size=width), rng.normal(size=kinds), rng.normal(size=size), rng.uniform(0.01, 1.0, size),
        matrix, of, gram,
    )  # fmt: skip


def test_the_map_is_a_root_of_the_conditional_law(case):
    w, log_sd, r, noise, matrix, of, _ = case
    a = matrix * np.exp(log_sd[of])
    law = a @ a.T + np.diag(noise)
    mean = a.T @ np.linalg.solve(law, r)
    covariance = np.eye(len(w)) - a.T @ np.linalg.solve(law, a)

    def z(w):
        return w + _forward(w, *case[1:])[0]

    root = np.stack([z(e) - z(np.zeros(len(w))) for e in np.eye(len(w))], axis=1)
    np.testing.assert_allclose(z(np.zeros(len(w))), mean, rtol=1e-10)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-10)
    assert float(_forward(*case)[1]) == pytest.approx(np.linalg.slogdet(root)[1])


@pytest.mark.parametrize("number", range(4))
def test_the_gradient(case, number):
    rng = np.random.default_rng(2)
    g_move, g_det = rng.normal(size=len(case[0])), np.asarray(0.7)
    gradient = _backward(*case, g_move, g_det)[number]
    way = rng.normal(size=case[number].shape) * 0.1

    def value(step):
        at = [x + step * way if k == number else x for k, x in enumerate(case)]
        move, det = _forward(*at)
        return move @ g_move + det * g_det

    assert gradient @ way == pytest.approx((value(1e-6) - value(-1e-6)) / 2e-6, rel=1e-6)
