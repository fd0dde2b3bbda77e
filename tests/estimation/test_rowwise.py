"""Rows worked out a few at a time are what plain NumPy says of them at once."""

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from attrition.estimation import rowwise
from attrition.estimation.blocks import Collector
from attrition.estimation.rows import link, spread

RNG = np.random.default_rng(3)
MEMBER = sp.csr_matrix(np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0.5, 0.5], [0, 0, 0, 1]]))
RATES = RNG.uniform(0.05, 0.95, (2, 4, 30)).astype(np.float32)


@pytest.mark.parametrize("agree", [True, False])
@pytest.mark.parametrize("steps", [1, 2])
def test_weighted_means_are_sums_over_sums_and_plain_where_nothing_weighs(agree, steps):
    weight = RNG.poisson(3.0, (4, 1 if agree else 30)).astype(float)
    weight[3] = 0.0
    below, rates = MEMBER @ weight, RATES[:steps]
    found = rowwise.weighted_means(MEMBER.indptr, MEMBER.indices, MEMBER.data, weight, below, rates)
    path = rates.astype(float).prod(axis=0)
    plain = (MEMBER @ path) / np.maximum(np.asarray(MEMBER.sum(axis=1)), 1)
    with np.errstate(invalid="ignore"):
        expected = np.where(below > 0, (MEMBER @ (weight * path)) / below, plain)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_means_and_variances_are_those_of_numpy():
    values = RNG.normal(1e3, 1.0, (7, 501))
    mean, variance = rowwise.means_and_variances(values)
    np.testing.assert_allclose(mean, values.mean(axis=1), rtol=1e-13)
    np.testing.assert_allclose(variance, values.var(axis=1), rtol=1e-10)
    assert not rowwise.means_and_variances(np.full((1, 777), 0.1))[1].any()
    values[2, 5] = np.nan
    assert np.isnan(rowwise.means_and_variances(values)[1]).tolist() == [k == 2 for k in range(7)]


@pytest.mark.parametrize("size", [500, 501])
def test_medians_are_those_of_numpy_in_single_precision_too(size, monkeypatch):
    monkeypatch.setattr(rowwise, "_AT_ONCE", 2 * size)
    values = RNG.normal(size=(7, size)).astype(np.float32)
    values[4, 3] = np.nan
    found = rowwise.medians(values)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.median(values, axis=1))


@pytest.mark.parametrize("ratio", [True, False])
def test_the_spread_of_rows_does_not_depend_on_how_many_are_looked_at_together(ratio, monkeypatch):
    values = RNG.uniform(0.0, 1.0, (9, 40))
    expected = link(values, ratio).var(axis=1)
    np.testing.assert_allclose(spread(values, ratio), expected, rtol=1e-12)
    monkeypatch.setattr(rowwise, "_AT_ONCE", 100)
    assert [few.start for few in rowwise.row_blocks(9, 40)] == [0, 2, 4, 6, 8]
    np.testing.assert_allclose(spread(values, ratio), expected, rtol=1e-12)


def test_draws_that_agree_are_kept_for_each():
    collector = Collector(3)
    ids = {"quantity_id": pa.array(["a", "b"])}
    collector.keep(ids, np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([False, True]))
    collector.keep(ids, np.array([[7.0], [8.0]]), np.array([True, True]))
    assert collector.ids == ["b", "a", "b"]
    np.testing.assert_array_equal(collector.aggregates[:, :], np.array([[4, 5, 6], [7, 7, 7], [8, 8, 8]]).T)
