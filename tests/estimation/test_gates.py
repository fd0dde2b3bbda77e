"""Gates that need no refit, on made-up predictions: what is right passes, and one fault fails one gate alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from attrition.estimation.checks.contract import Seen
from attrition.estimation.checks.loo import Loo
from attrition.estimation.checks.pit import Pit
from attrition.estimation.checks.predictive import Predictive
from attrition.estimation.checks.suppressed import Suppressed
from attrition.estimation.leaving import left_out
from attrition.estimation.predictive import Moments, Report

R, N = 400, 200
GATES = (Predictive(), Suppressed(), Loo(), Pit())


def seen(
    counts: np.ndarray, mean: np.ndarray, hidden: np.ndarray | None = None, spread: float = 0.01
) -> Seen:
    """Poisson reports with known means, one a group; hidden ones as 1 to 4; draws of a common log level."""
    rng = np.random.default_rng(5)
    level = spread * rng.standard_normal((R, 1))
    rates = mean * np.exp(level)
    hidden = np.zeros(len(counts), dtype=bool) if hidden is None else hidden
    reports = tuple(
        Report(k, 0, f"s{k}", "exact", "arrest", f"o{k % 4}", f"j{k % 8}", f"{2000 + k % 5}", "a",
               1.0 if hidden[k] else float(y), 4.0 if hidden[k] else float(y))
        for k, y in enumerate(counts)
    )  # fmt: skip
    by_id = {
        f"s{k}": SimpleNamespace(relation="suppressed" if hidden[k] else "exact") for k in range(len(counts))
    }
    logs = poisson.logpmf(counts, rates)
    inside = poisson.cdf(4, rates) - poisson.cdf(0, rates)
    likelihood = np.where(hidden, np.log(inside), logs)
    moments = Moments(rates, rates, rng.poisson(rates).astype(float))
    blueprint: Any = SimpleNamespace(panel=SimpleNamespace(by_id=by_id))
    return Seen(blueprint, None, None, reports, moments, np.zeros(0), likelihood=likelihood)  # type: ignore[arg-type]


def failing(found: Seen) -> set[str]:
    return {result.name for gate in GATES for result in gate.run(found) if result.verdict == "failed"}


@pytest.fixture
def right() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    mean = rng.uniform(2, 30, N)
    return rng.poisson(mean), mean


def test_reports_of_the_model_pass_every_gate(right):
    counts, mean = right
    hidden = (counts >= 1) & (counts <= 4)
    assert failing(seen(counts, mean, hidden)) == set()
    assert failing(seen(counts, mean)) == set()


def test_leaving_out_by_weights_is_leaving_out():
    """One rate, conjugate: the prediction of a count from the others is negative binomial, in closed form."""
    rng = np.random.default_rng(2)
    counts = rng.poisson(6.0, 12)
    shape, rate = 2.0 + counts.sum(), 0.3 + len(counts)
    draws = 4000
    level = rng.gamma(shape, 1 / rate, (draws, 1))
    logs = poisson.logpmf(counts, level)
    reports = tuple(
        Report(k, 0, f"s{k}", "exact", "arrest", "o", "j", "2000", "a", float(y), float(y))
        for k, y in enumerate(counts)
    )
    replicate = rng.poisson(np.broadcast_to(level, logs.shape)).astype(float)
    found = left_out(reports, Moments(logs, logs, replicate), logs)
    assert found.reliable.all()
    for k, y in enumerate(counts):
        alone = nbinom(shape - y, (rate - 1) / rate)
        assert found.below[k] == pytest.approx(alone.cdf(y - 1), abs=0.03)
        assert found.above[k] == pytest.approx(alone.sf(y), abs=0.03)


def test_surprising_reports_fail_loo_alone(right):
    counts, mean = right
    odd = counts.copy()
    # One in each group of the grouped checks, so that each is one of few there; up and down in turn.
    for k in range(8):
        at = np.flatnonzero(np.arange(N) % 8 == k)[k]
        mean[at] = 20.0
        odd[at] = 34 if k % 2 else 8
    found = seen(odd, mean)
    assert failing(found) == {"loo"}
    (result,) = Loo().run(found)
    assert result.value == len(result.affects) > result.threshold
    assert set(result.affects[0]) == {"offense", "jurisdiction", "period", "stage"}


def test_predictions_that_are_too_wide_fail_pit_alone(right):
    _, mean = right
    counts = np.round(mean)  # every report in the middle of its predictions
    assert failing(seen(counts, mean)) >= {"pit"}
    assert "loo" not in failing(seen(counts, mean))


def test_a_rule_that_is_not_followed_fails_the_share_alone(right):
    counts, mean = right
    small = np.flatnonzero((counts >= 1) & (counts <= 4))
    hidden = np.zeros(N, dtype=bool)
    hidden[small[0]] = True  # the other small counts are published as they are
    found = seen(counts, mean, hidden)
    assert failing(found) == {"ppc_suppressed"}
    (result,) = Suppressed().run(found)
    assert result.affects == ({"stage": "arrest"},)


def test_nothing_to_look_at_is_informational(right):
    counts, mean = right
    bare = seen(counts[:10], mean[:10])
    verdicts = {result.name: result.verdict for gate in GATES for result in gate.run(bare)}
    assert verdicts["pit"] == "informational"
    assert verdicts["ppc_suppressed"] == "informational"
    empty = Seen(bare.blueprint, None, None, bare.reports, bare.moments, np.zeros(0))  # type: ignore[arg-type]
    assert {gate.run(empty)[0].verdict for gate in (Loo(), Pit())} == {"informational"}
