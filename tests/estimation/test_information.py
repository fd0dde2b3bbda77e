"""Shares of information by a second route: how the posterior variance answers to each source, by matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from attrition.estimation.information import OTHERS, PRIOR, information
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import Moments, moments, reports
from attrition.models.field import FieldDraws

from ..panels import bind, make_panel

# Large counts: on the logit the posterior is normal, and its information is n p (1 - p).
N = np.array([40_000.0, 9_000.0, 2_500.0])
RATE = 0.3
LEVEL, APART = 0.04, 0.02  # prior sd of what the offenses share, and of each one's departure


def posterior(worth: np.ndarray) -> np.ndarray:
    """Covariance of the three linear predictors, each counted with so much information."""
    prior = LEVEL**2 + APART**2 * np.eye(3)
    return np.linalg.inv(np.linalg.inv(prior) + np.diag(worth))


def by_source(psi_of: np.ndarray, size: int = 40_000) -> tuple[pd.Series, float]:
    """Shares from draws of a weighted sum of the predictors, and its contraction."""
    facts = []
    for o, n in zip("abc", N, strict=True):
        facts += [("referral", o, "exact", n), ("investigation", o, "exact", round(RATE * n))]
    panel = make_panel(facts, "abc", stages=("referral", "investigation"))
    sourced = tuple(replace(s, source_id=f"office {s.offense}") for s in panel.statements)
    blueprint = bind(replace(panel, statements=sourced), ["intercept"])
    worth = N * RATE * (1 - RATE)
    center = np.full(3, np.log(RATE / (1 - RATE)))
    eta = np.random.default_rng(3).multivariate_normal(center, posterior(worth), size)
    draws = FieldDraws(eta[:, :1], {}, {}, np.ones((size, 1)))
    found = moments(np.random.default_rng(1), blueprint, eta[:, None], draws)
    held = 1 - (psi_of @ posterior(worth) @ psi_of) / (psi_of @ posterior(np.zeros(3)) @ psi_of)
    table = information(
        reports(blueprint),
        [Part.whole(reports(blueprint), found)],
        ["q"],
        lambda _: (eta @ psi_of)[:, None],
        np.array([held]),
    )
    return table[table["by"] == "source_id"].set_index("name")["share"], held


@pytest.mark.parametrize(
    "psi", [(0, 0, 1), (0, 1, -1), (1 / 3, 1 / 3, 1 / 3)], ids=["cell", "contrast", "mean"]
)
def test_shares_are_how_the_variance_answers_to_each_source(psi):
    """Each source a little larger, all else as it is: its share of the fall of the variance is its share."""
    psi_of = np.array(psi, dtype=float)
    share, held = by_source(psi_of)
    worth, little = N * RATE * (1 - RATE), 1e-4
    variance = psi_of @ posterior(worth) @ psi_of
    falls = [
        variance - psi_of @ posterior(worth * (1 + little * (np.arange(3) == k))) @ psi_of for k in range(3)
    ]
    expected = held * np.array(falls) / np.sum(falls)
    np.testing.assert_allclose([share.get(f"office {o}", 0.0) for o in "abc"], expected, atol=0.01)
    assert share[PRIOR] == pytest.approx(1 - held, abs=1e-9)
    assert share.sum() == pytest.approx(1, abs=1e-12)


def test_leaving_a_source_out_takes_its_precision():
    """A rate that all share: precisions add, and a source's share is what the posterior loses without it."""
    worth = N * RATE * (1 - RATE)
    level = 1 / LEVEL**2
    whole = worth.sum() + level
    psi = np.random.default_rng(5).normal(size=(60_000, 1)) / np.sqrt(whole)
    mean = N * (RATE + RATE * (1 - RATE) * psi)
    found = Moments(mean, np.broadcast_to(worth, mean.shape), mean)
    shown = [_report(f"office {o}") for o in "abc"]
    table = information(
        shown, [Part.whole(shown, found)], ["q"], lambda _: psi, np.array([1 - level / whole])
    )
    share = table[table["by"] == "source_id"].set_index("name")["share"]
    for k, o in enumerate("abc"):
        without = np.delete(worth, k).sum() + level
        assert share[f"office {o}"] == pytest.approx((whole - without) / whole, abs=0.003)


def _report(source: str):
    facts = [("referral", "a", "exact", 4), ("investigation", "a", "exact", 2)]
    (one,) = reports(bind(make_panel(facts, "a", stages=("referral", "investigation")), ["intercept"]))
    return replace(one, source_id=source)


def test_many_small_sources_still_add_up():
    """Eleven thousand offices tell 0.008 per cent each: none is named, and together they are not lost."""
    size, offices = 100, 11_000
    psi = np.random.default_rng(6).normal(size=(size, 1))
    one = _report("")
    shown = [replace(one, source_id=f"o{k}") for k in range(offices)]
    mean = np.broadcast_to(psi, (size, offices))
    found = Moments(mean, np.ones((size, offices)), mean)
    table = information(shown, [Part.whole(shown, found)], ["q"], lambda _: psi, np.array([0.9]))
    share = table[table["by"] == "source_id"].set_index("name")["share"]
    assert share.to_dict() == pytest.approx({PRIOR: 0.1, OTHERS: 0.9})
