"""Test quantities by a second route, and strata of coverage by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from attrition.estimation.binding import stream
from attrition.estimation.calibration.coverage import STRATA, covered, held, pooled
from attrition.estimation.calibration.quantities import quantities
from attrition.estimation.completion import complete
from attrition.estimation.rows import CellDraws
from attrition.models.rates import rates_of

DRAWS = 40


@pytest.fixture(scope="module")
def drawn(bound):
    draws = bound.blueprint.prior_draws(np.random.default_rng(5), DRAWS)
    eta = bound.blueprint.predictor(draws)
    counts = complete(np.random.default_rng(6), bound.blueprint, eta, draws)
    return draws, eta, rates_of(eta, bound.blueprint.ratio_steps), counts


def test_by_a_second_route(bound, drawn):
    """One rate for all: every quantity is a function of it that can be written down."""
    draws, _, rates, _ = drawn
    found = quantities(bound.blueprint, *drawn)
    p = 1 / (1 + np.exp(-draws.intercept[:, 0]))
    np.testing.assert_allclose(found["intercept referral-investigation"], draws.intercept[:, 0])
    np.testing.assert_allclose(found["rate referral-investigation of all"], p)
    np.testing.assert_allclose(found["rate referral-investigation of the newest cohort"], p)
    np.testing.assert_allclose(found["change referral-investigation of all"], 0.0, atol=1e-12)
    exact = stats.binom.logpmf(12, 40, p) + stats.binom.logpmf(9, 30, p)
    total = stats.binom.logpmf(8, 30, p)  # of cells of one rate: one binomial
    np.testing.assert_allclose(found["log-likelihood, total"], total, atol=1e-4)
    np.testing.assert_allclose(found["log-likelihood, exact"], exact + total, atol=1e-4)
    np.testing.assert_allclose(found["log-likelihood"], exact + total, atol=1e-4)
    cells = [values for name, values in found.items() if ", " in name and name.startswith("rate")]
    assert len(cells) == 3
    for values in cells:
        np.testing.assert_allclose(values, rates[:, 0, 0])


def test_ranks_of_the_prior_under_the_prior_cover(bound, drawn):
    """A truth among the draws themselves is held by their 90 % interval; one beyond all of them by none."""
    draws, _, rates, counts = drawn
    order = np.argsort(draws.intercept[:, 0])

    def found(place, shift=0.0):
        one = order[place : place + 1]
        truth = CellDraws(np.clip(rates[one] + shift, 0, 1), counts[one])
        return covered(stream(1, "r"), bound.blueprint, draws, CellDraws(rates, counts), truth)

    middle, beyond = found(DRAWS // 2), found(DRAWS - 1, 1.0)
    assert middle["cells"] == [6, 6, 6]
    assert beyond["cells"] == [0, 0, 6]
    assert [middle[f"cells, {name}"][2] for name in ("n = 0", "n 1 to 4", "n 5 to 29", "n 30 or more")] == [
        1,
        0,
        3,
        2,
    ]
    assert middle["root"] == [1, 1, 1]
    bands = [name for name in STRATA if name.startswith("contraction")]
    assert sum(middle[name][2] for name in bands) == middle["cells"][2] + middle["aggregates"][2]


def test_held():
    values = np.arange(101.0)[None]
    assert [bool(held(values, np.array([t]), 0.9)[0]) for t in (4.9, 5.0, 95.0, 95.1)] == [
        False,
        True,
        True,
        False,
    ]


def test_pooled_over_worlds():
    worlds = [{"cells": [1, 3, 4], "root": [0, 0, 0]}, {"cells": [3, 4, 4]}]
    found = pooled(worlds)
    assert set(found) == {"cells"}
    assert found["cells"]["rows"] == 8
    assert (found["cells"]["cover50"], found["cells"]["cover90"]) == (0.5, 7 / 8)
    assert found["cells"]["error50"] == pytest.approx(np.sqrt((1 + 1) * 2) / 8)
