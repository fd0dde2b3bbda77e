"""The fused departure against dense linear algebra, and its gradient against differences."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models.conditioned_op import _backward, _forward

# Two counts of their own, one that passes two anchored effects, and two totals over the same three cells: the second
# at a later stage, and behind a wall.
SINGLE, ANCHORED, WIDTH, KINDS = 3, 6, 9, 3
ENDS, BEFORE = np.array([3, 6]), np.array([-1, -1, -1, 0, 1, 2])


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(1)
    size = SINGLE + ANCHORED
    matrix, of = rng.normal(size=(size, WIDTH)), np.arange(WIDTH) % KINDS
    passed = np.concatenate([np.zeros((SINGLE, ANCHORED)), np.eye(ANCHORED)])
    passed[2, [0, 3]] = 1.0
    whose = np.array([1, 1, 1, 2, 2, 2])
    inner = np.stack([passed[:, whose == k] @ passed[:, whose == k].T for k in range(KINDS)])
    gram = np.stack([matrix[:, of == k] @ matrix[:, of == k].T for k in range(KINDS)]) + inner
    return (
        rng.normal(size=WIDTH), rng.normal(size=ANCHORED), rng.normal(size=2) - [0.0, 5.0],
        0.5 * rng.normal(size=KINDS), rng.normal(size=size), rng.uniform(0.01, 1.0, size),
        matrix, of, gram, inner[:, 2:, 2:].copy(), np.array([0.0, 0.3]), ENDS, BEFORE,
    )  # fmt: skip


def law(case):
    """Sums of the effects, the covariance of their errors, and that of the residuals."""
    log_sd, noise, matrix, of, gram = case[3], case[5], case[6], case[7], case[8]
    a = matrix * np.exp(log_sd[of])
    whole = np.tensordot(np.exp(2 * log_sd), gram, 1) + np.diag(noise)
    return a, whole - a @ a.T, whole


def residuals(case):
    return np.concatenate([case[4][:SINGLE], _forward(*case)[1]])


def test_the_map_is_a_root_of_the_conditional_law(case):
    w, r = case[0], residuals(case)
    a, errors, whole = law(case)
    mean = a.T @ np.linalg.solve(whole, r)
    covariance = np.eye(len(w)) - a.T @ np.linalg.solve(whole, a)

    def z(w):
        return w + _forward(w, *case[1:])[0]

    root = np.stack([z(e) - z(np.zeros(len(w))) for e in np.eye(len(w))], axis=1)
    np.testing.assert_allclose(z(np.zeros(len(w))), mean, rtol=1e-10)
    np.testing.assert_allclose(root @ root.T, covariance, atol=1e-10)
    assert np.linalg.slogdet(root)[1] == pytest.approx(
        (np.linalg.slogdet(errors)[1] - np.linalg.slogdet(whole)[1]) / 2
    )


def test_the_cells_sum_to_their_totals_and_are_normal_by_themselves(case):
    held = residuals(case)[SINGLE:] + case[4][SINGLE:]
    held[3:] += held[:3]
    assert np.exp(held[:3]).sum() == pytest.approx(np.exp(case[2][0]))
    assert np.log(np.exp(held[3:]).sum()) > case[2][1]
    # Before they give way: the first total's smaller cells, given the counts and the total, by their coordinates.
    rich = [*case[:2], case[2] + [50.0, 0.0], *case[3:]]
    r, (_, _, whole) = residuals(rich), law(case)
    k = SINGLE + 1
    given = whole[k : k + 2, :k] @ np.linalg.solve(whole[:k, :k], r[:k])
    rest = whole[k : k + 2, k : k + 2] - whole[k : k + 2, :k] @ np.linalg.solve(
        whole[:k, :k], whole[:k, k : k + 2]
    )
    np.testing.assert_allclose(r[k : k + 2], given + np.linalg.cholesky(rest) @ case[1][1:3], rtol=1e-8)


def test_far_from_its_wall_a_total_is_normal_given_the_sums_before(case):
    far = [*case[:2], case[2] - [0.0, 50.0], *case[3:]]
    r, (_, _, whole) = residuals(far), law(case)
    held = r[SINGLE:] + case[4][SINGLE:]
    k = SINGLE + 3
    given = whole[k, :k] @ np.linalg.solve(whole[:k, :k], r[:k])
    own = np.sqrt(whole[k, k] - whole[k, :k] @ np.linalg.solve(whole[:k, :k], whole[:k, k]))
    total = np.log(np.exp(held[3:] + held[:3]).sum())
    assert total == pytest.approx(case[4][k] + held[0] + given + own * case[1][3])


def test_the_determinant(case):
    """Of z by w, and of what the cells hold by the totals and the smaller cells' coordinates."""

    def held(step, kind, k):
        at = [x.copy() for x in case]
        at[kind][k] += step
        out = residuals(at)[SINGLE:] + at[4][SINGLE:]
        out[3:] += out[:3]
        return out

    free = [(2, 0), *((1, c) for c in range(1, 6))]
    jacobian = [(held(1e-6, *one) - held(-1e-6, *one)) / 2e-6 for one in free]
    _, errors, whole = law(case)
    expected = (np.linalg.slogdet(errors)[1] - np.linalg.slogdet(whole)[1]) / 2 + np.linalg.slogdet(
        np.array(jacobian)
    )[1]
    assert float(_forward(*case)[2]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("number", range(6))
def test_the_gradient(case, number):
    rng = np.random.default_rng(2)
    g_move, g_residual, g_det = rng.normal(size=WIDTH), rng.normal(size=ANCHORED), np.asarray(0.7)
    gradient = _backward(*case, g_move, g_residual, g_det)[number]
    way = rng.normal(size=case[number].shape) * (0.01 if number == 5 else 0.1)

    def value(step):
        at = [x + step * way if k == number else x for k, x in enumerate(case)]
        move, residual, det = _forward(*at)
        return move @ g_move + residual @ g_residual + det * g_det

    assert gradient @ way == pytest.approx((value(1e-6) - value(-1e-6)) / 2e-6, rel=1e-6)
