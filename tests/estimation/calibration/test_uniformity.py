"""Tests of uniformity against enumeration, against their own level, and against faults of a known size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from attrition.estimation.calibration.uniformity import (
    LEVELS,
    bands,
    chi_square,
    coverage,
    holm,
    inside,
    worst_tail,
)


@pytest.mark.parametrize("size", [1, 2])
def test_bands_by_enumeration(size):
    """Of every set of ranks there is: the share that is at least as extreme."""
    sets = np.array(list(itertools.combinations_with_replacement(range(LEVELS), size)))
    weight = np.array([len(set(itertools.permutations(one))) for one in sets.tolist()])
    worst = np.array([worst_tail(one) for one in sets])
    for one in sets[:: len(sets) // 7]:
        share = weight[worst <= worst_tail(one) * (1 + 1e-9)].sum() / LEVELS**size
        assert bands(one) == pytest.approx(share, abs=1e-12)


def test_probabilities_of_uniform_ranks_are_uniform():
    rng = np.random.default_rng(1)
    found = np.array(
        [(bands(r), chi_square(r), coverage(r, 0.9)) for r in rng.integers(0, LEVELS, (400, 200))]
    )
    for level in (0.05, 0.5):
        error = 4 * np.sqrt(level * (1 - level) / 400)
        assert (found <= level).mean(axis=0) == pytest.approx([level] * 3, abs=error)


@pytest.mark.parametrize(("scale", "bias", "least"), [(0.8, 0.0, 0.6), (1.0, 0.3, 0.7), (0.5, 0.0, 0.99)])
def test_faults_are_told(scale, bias, least):
    """A normal posterior too narrow, or off by a part of its sd; 200 worlds, at 1 % over three tests."""
    rng = np.random.default_rng(2)
    found = []
    for _ in range(100):
        truth = rng.standard_normal(200)
        draws = bias + scale * rng.standard_normal((LEVELS - 1, 200))
        ranks = (draws < truth).sum(axis=0)
        found.append(min(holm([bands(ranks), chi_square(ranks), coverage(ranks, 0.9)])) < 0.01)
    assert np.mean(found) >= least


def test_central_intervals_hold_their_share_of_the_ranks():
    every = np.arange(LEVELS)
    assert inside(every, 0.9).sum() == 90
    assert inside(every, 0.5).sum() == 50
    assert not inside(np.array([4, 95]), 0.9).any()
    assert coverage(every, 0.9) == 1.0
    assert coverage(np.full(30, 50), 0.9) == pytest.approx(stats.binomtest(30, 30, 0.9).pvalue)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
