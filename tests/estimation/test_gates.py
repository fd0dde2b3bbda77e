"""Gates that need no refit, on made-up runs: what is right passes, and one fault fails one gate alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from attrition.estimation.checks.catalogue import run_checks, verdict_names
from attrition.estimation.checks.contract import Result, Seen
from attrition.estimation.checks.khat import Khat
from attrition.estimation.checks.loo import Loo
from attrition.estimation.checks.pit import Pit
from attrition.estimation.checks.predictive import Predictive
from attrition.estimation.checks.suppressed import Suppressed
from attrition.estimation.convergence import Convergence
from attrition.estimation.engines.contract import DRAFT, Weights
from attrition.estimation.leaving import left_out
from attrition.estimation.predicted import Part
from attrition.estimation.predictive import Moments, Report
from attrition.estimation.record import fit_enough

from .gates import FAULTS, drawn_counts, healthy, predicted


@pytest.fixture(scope="module")
def well() -> Seen:
    return healthy()


def failing(found: list[Result]) -> dict[str, Result]:
    return {result.name: result for result in found if result.verdict == "failed"}


def test_every_verdict_has_a_fault_and_nothing_fails_without_one(well):
    found = run_checks(well)
    assert {result.name for result in found} == set(FAULTS)
    # Where there are no weights nothing is said of the jurisdictions' parts, and one check informs only.
    assert {result.name for result in found} | {"khat_blocks", "power_scaling"} == set(verdict_names())
    assert failing(found) == {}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_its_gate_alone(well, name, tmp_path):
    assert set(failing(run_checks(FAULTS[name](well, tmp_path)))) == {name}


def test_a_draft_is_held_to_the_limits_of_a_draft(well):
    few = Convergence(1.03, "", 150.0, "", 10)
    seen = replace(well, diagnostics=replace(well.diagnostics, hyper=few, aggregates=few, cells=few))
    assert set(failing(run_checks(seen))) == {"rhat", "ess", "ess_cells"}
    assert not fit_enough(seen.diagnostics)
    draft = replace(seen, diagnostics=replace(seen.diagnostics, aim=DRAFT))
    found = run_checks(draft)
    assert failing(found) == {}
    assert fit_enough(draft.diagnostics)
    assert all("draft" in one.sentence for one in found if one.name.startswith(("rhat", "ess")))
    worse = replace(draft.diagnostics, hyper=replace(few, rhat=1.06))
    assert set(failing(run_checks(replace(draft, diagnostics=worse)))) == {"rhat"}


def test_a_failure_names_the_places_it_touches(well, tmp_path):
    result = failing(run_checks(FAULTS["loo"](well, tmp_path)))["loo"]
    assert result.value == len(result.affects) > (result.threshold or 0)
    assert set(result.affects[0]) == {"offense", "jurisdiction", "period", "stage"}
    result = failing(run_checks(FAULTS["ppc_suppressed"](well, tmp_path)))["ppc_suppressed"]
    assert result.affects == ({"stage": "arrest"},)


@pytest.mark.parametrize(
    ("bad", "usable"), [((), True), (("P3",), True), (("P3", "P7"), True), (("P0", "P3", "P7"), False)]
)
def test_a_jurisdiction_whose_law_is_not_good_withholds_its_own_numbers(well, bad, usable):
    blocks = {f"P{place}": 0.9 if f"P{place}" in bad else 0.2 for place in range(20)}
    weights = Weights(0.3, blocks, (100.0,))
    found = replace(well, diagnostics=replace(well.diagnostics, chain=None, weights=weights))
    result = next(one for one in Khat().run(found) if one.name == "khat_blocks")
    assert weights.usable == usable
    assert result.verdict == ("failed" if bad else "passed")
    # Where many are not good every number is touched, which no place named says.
    assert result.affects == (tuple({"jurisdiction": name} for name in bad) if usable else ())
    assert f"{len(bad)} of 20 fail" in result.sentence or not bad


def test_predictions_that_are_too_wide_are_seen_in_the_ranks():
    _, mean = drawn_counts()
    found = predicted(np.round(mean), mean)  # every report in the middle of its predictions
    assert [gate.run(found)[0].verdict for gate in (Pit(), Loo())] == ["failed", "passed"]


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
    found = left_out(reports, [Part.whole(reports, Moments(logs, logs, replicate), logs)])
    assert found.reliable.all()
    for k, y in enumerate(counts):
        alone = nbinom(shape - y, (rate - 1) / rate)
        assert found.below[k] == pytest.approx(alone.cdf(y - 1), abs=0.03)
        assert found.above[k] == pytest.approx(alone.sf(y), abs=0.03)


def test_nothing_to_look_at_is_informational():
    counts, mean = drawn_counts()
    bare = predicted(counts[:10], mean[:10])
    verdicts = {
        result.name: result.verdict
        for gate in (Predictive(), Suppressed(), Loo(), Pit())
        for result in gate.run(bare)
    }
    assert verdicts["pit"] == "informational"
    assert verdicts["ppc_suppressed"] == "informational"
    (part,) = bare.predicted
    nothing = [Part.whole(part.shown, part.moments)]
    empty = Seen(bare.blueprint, None, None, bare.reports, nothing, np.zeros(0))  # type: ignore[arg-type]
    assert {gate.run(empty)[0].verdict for gate in (Loo(), Pit())} == {"informational"}
