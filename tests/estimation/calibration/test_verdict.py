"""What ranks of many worlds are taken for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from attrition.estimation.calibration.uniformity import LEVELS
from attrition.estimation.calibration.verdict import verdicts


def worlds_of(ranks: dict[str, np.ndarray]) -> list[dict[str, int]]:
    size = len(next(iter(ranks.values())))
    return [{name: int(values[i]) for name, values in ranks.items()} for i in range(size)]


def test_the_quantity_that_is_off_fails_and_the_others_do_not():
    rng = np.random.default_rng(3)
    ranks = {f"q{k}": rng.integers(0, LEVELS, 100) for k in range(10)}
    ranks["low"] = rng.integers(0, LEVELS, 100) // 2
    found = {one.quantity: one for one in verdicts(worlds_of(ranks))}
    assert [name for name, one in found.items() if one.failed] == ["low"]
    assert found["low"].mean == pytest.approx((ranks["low"].mean() + 0.5) / LEVELS)
    assert found["low"].adjusted <= 33 * min(found["low"].bands, found["low"].chi_square) + 1e-12
    assert found["q0"].cover90 == ((ranks["q0"] >= 5) & (ranks["q0"] < 95)).mean()


def test_a_quantity_of_some_worlds_is_judged_on_those():
    worlds = [{"a": 50}, {"a": 51, "b": 7}] * 10
    found = {one.quantity: one.worlds for one in verdicts(worlds)}
    assert found == {"a": 20, "b": 10}


def test_a_posterior_that_ignores_the_data_is_told_by_the_log_likelihood_alone():
    """Draws from the prior have uniform ranks; the likelihood of the data under them has not."""
    rng = np.random.default_rng(4)
    truth, draws = rng.beta(2, 3, 100), rng.beta(2, 3, (LEVELS - 1, 100))
    count = rng.binomial(30, truth)
    likelihood = stats.binom.logpmf(count, 30, draws), stats.binom.logpmf(count, 30, truth)
    ranks = {
        "rate": (draws < truth).sum(axis=0),
        "log-likelihood": (likelihood[0] < likelihood[1]).sum(axis=0),
    }
    found = {one.quantity: one for one in verdicts(worlds_of(ranks))}
    assert not found["rate"].failed
    assert found["log-likelihood"].failed
    assert found["log-likelihood"].mean > 0.7
