"""Bases: what they span, and how wide the prior is that they imply."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.models.basis import (
    Basis,
    helmert,
    identity,
    over,
    random_walk,
    siblings,
    side_by_side,
    zero_sum,
)
from attrition.models.effects.jurisdiction import nested

from ..panels import axis

TREE = {
    "US": "all",
    "NE": "US",
    "NY": "US",
    "CA": "US",
    "UK": "all",
    "Wales": "UK",
    "Kent": "UK",
    "Malta": "all",
}


@pytest.mark.parametrize("levels", [1, 2, 3, 7, 40])
def test_helmert_is_an_orthonormal_basis_of_zero_sums(levels):
    matrix = helmert(levels)
    assert matrix.shape == (levels, levels - 1)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(levels - 1), atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-12)


def test_zero_sum_levels_are_exchangeable():
    """Covariance I - 1/L: every level alike, every pair alike, and the sum fixed."""
    covariance = zero_sum(5).matrix @ zero_sum(5).matrix.T
    np.testing.assert_allclose(covariance, np.eye(5) - 0.2, atol=1e-12)
    np.testing.assert_array_equal(zero_sum(5).fresh, np.eye(5))
    np.testing.assert_array_equal(identity(3).matrix, np.eye(3))


def test_siblings_sum_to_zero_within_their_parent():
    names = ["NE", "NY", "CA", "Wales", "Kent"]
    basis = siblings(axis("jurisdiction", TREE), names)
    assert (basis.levels, basis.free) == (5, 3)
    np.testing.assert_allclose(basis.matrix[:3].sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(basis.matrix[3:].sum(axis=0), 0, atol=1e-12)
    assert (basis.matrix @ basis.matrix.T)[:3, 3:] == pytest.approx(0)


def test_an_only_child_has_nothing_to_estimate():
    tree = axis("jurisdiction", {"US": "all", "NE": "US", "UK": "all", "Kent": "UK"})
    assert siblings(tree, ["NE", "Kent"]).free == 0


def test_nested_nodes_reach_their_leaves():
    tree = axis("jurisdiction", TREE)
    upper, lower = nested(tree, 1), nested(tree, 2)
    assert (upper.levels, upper.free, lower.free) == (6, 2, 3)
    states = [tree.leaves.index(name) for name in ("NE", "NY", "CA")]
    values = upper.matrix @ np.array([0.7, -1.1])
    assert np.ptp(values[states]) == pytest.approx(0)
    countries = [values[tree.leaves.index(name)] for name in ("NE", "Kent", "Malta")]
    assert sum(countries) == pytest.approx(0)
    below = lower.matrix @ np.array([1.0, 2.0, 3.0])
    assert below[states].sum() == pytest.approx(0)
    assert below[tree.leaves.index("Malta")] == 0


@pytest.mark.parametrize("periods", [2, 5, 12, 40, 200])
def test_random_walk_has_a_typical_sd_of_one(periods):
    matrix = random_walk(periods).matrix
    assert matrix.shape == (periods, periods - 1)
    marginal = np.sqrt((matrix**2).sum(axis=1))
    assert np.exp(np.log(marginal).mean()) == pytest.approx(1)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("periods", [3, 12, 40])
def test_random_walk_is_one(periods):
    """Increments are independent with one variance: the covariance of differences is a multiple of the identity."""
    matrix = np.diff(random_walk(periods).matrix, axis=0)
    covariance = matrix @ matrix.T
    np.testing.assert_allclose(covariance, covariance[0, 0] * np.eye(periods - 1), atol=1e-9)


def test_a_change_from_end_to_end_does_not_widen_with_more_periods():
    """The same span cut more finely has the same prior of its whole change, but for the coarsest cuts."""
    sds = []
    for periods in (10, 20, 40, 80, 160):
        matrix = random_walk(periods).matrix
        sds.append(np.linalg.norm(matrix[-1] - matrix[0]))
    assert max(sds) / min(sds) < 1.06
    # A Brownian bridge over its whole length, centered: variance 1 against a marginal of about 1/6.
    assert sds[-1] == pytest.approx(np.sqrt(6.0), rel=0.08)


def test_one_period_has_no_walk():
    assert random_walk(1).free == 0


def _bases() -> list[Basis]:
    tree = axis("jurisdiction", TREE)
    weighted = axis("offense", {"a": "all", "b": "all", "c": "all"})
    return [
        *(zero_sum(levels) for levels in (1, 2, 4, 5, 40)),
        identity(3),
        random_walk(6),
        siblings(tree, ["NE", "NY", "CA", "Wales", "Kent"]),
        side_by_side([nested(tree, 1), nested(tree, 2)]),
        over(tree, constrained=True),
        over(weighted, constrained=True),
        over(weighted, constrained=False),
    ]


@pytest.mark.parametrize("basis", _bases(), ids=lambda basis: f"{basis.levels} x {basis.free}")
def test_the_two_parts_of_a_basis_multiply_to_it(basis):
    outer, inner = basis.sparse
    np.testing.assert_allclose((outer @ inner).toarray(), basis.matrix, atol=1e-12)


def test_a_long_zero_sum_has_few_entries():
    assert sum(part.nnz for part in zero_sum(400).sparse) < 4 * 400
