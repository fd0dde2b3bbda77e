"""The proofs of the bundled plan: their arithmetic here, the fits themselves by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from attrition.estimation.binding import bind_plan
from attrition.estimation.calibration.coverage import clustered
from attrition.estimation.plan import read_plan
from attrition.estimation.store.lines import add_line, read_lines
from attrition.models.batches import Batch
from attrition.models.paths import ARRAY, ratio_law

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["referral-investigation", "investigation-arrest", "arrest-prosecution", "prosecution-conviction"]


def load(name: str) -> ModuleType:
    """A program, which no package holds."""
    spec = importlib.util.spec_from_file_location(f"{name}_program", ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


evidence, twins = load("evidence"), load("twins")


# ---- Laws ----


def test_the_law_of_a_path_is_that_of_the_model():
    rng = np.random.default_rng(1)
    rates, phi = rng.uniform(0.01, 2.0, (50, 3)), 1 + rng.exponential(2.0, (50, 3))
    batch = Batch(
        report="exact", parts=(), slots=np.zeros((1, 1, 3), dtype=np.int32), segment=np.zeros((1, 1, 3), dtype=np.int8),
        step=np.arange(3, dtype=np.int8)[None, None], ratio=True, end=False, mask=np.ones((1, 1), dtype=bool),
        n=np.array([[700.0]]), low=np.zeros((1, 1)), high=np.zeros((1, 1)), groups=(0,), statement_id=("a",),
    )  # fmt: skip
    log_mean, factor = ratio_law(np.log(rates)[:, None, None], batch, (True,) * 3, phi, ARRAY)
    mine = evidence.path_law(700.0, rates, phi)
    np.testing.assert_allclose(mine[0], np.exp(log_mean[:, 0, 0]))
    np.testing.assert_allclose(mine[1], factor[:, 0, 0])


def test_predicted_counts_have_the_mean_and_the_variance_of_the_law():
    mean, factor = np.full(4000, 30.0), np.full(4000, 5.0)
    counts = evidence.predicted(np.random.default_rng(2), mean, factor, 25)
    assert counts.shape == (100_000,)
    assert counts.mean() == pytest.approx(30.0, abs=0.2)
    assert counts.var() == pytest.approx(150.0, rel=0.04)
    poisson = evidence.predicted(np.random.default_rng(2), mean, np.ones(4000), 25)
    assert poisson.var() == pytest.approx(30.0, rel=0.04)


@pytest.mark.parametrize(("count", "covered"), [(4, False), (5, True), (50, True), (95, True), (96, False)])
def test_a_count_is_judged_by_the_interval_and_by_its_place(count, covered):
    verdict = evidence.judged(np.arange(1.0, 101.0), count)
    assert (verdict["low"], verdict["median"], verdict["high"]) == (5.0, 50.0, 95.0)
    assert verdict["covered"] is covered
    assert verdict["quantile"] == pytest.approx((count - 0.5) / 100)


@pytest.mark.parametrize(("count", "n"), [(0, 36), (3, 129), (102, 262), (255, 2549)])
def test_intervals_by_hand_by_a_second_route(count, n):
    low, middle, high = evidence.ratio_by_hand(count, n)
    chi2 = stats.chi2(2 * count + 1).ppf([0.05, 0.5, 0.95]) / (2 * n)
    np.testing.assert_allclose([low, middle, high], chi2)
    a, b = count + 0.5, n - count + 0.5
    f = stats.f(2 * a, 2 * b).ppf([0.05, 0.5, 0.95])
    np.testing.assert_allclose(evidence.share_by_hand(count, n), a * f / (b + a * f))


def test_a_variance_factor_widens_as_its_root():
    plain, wide = evidence.ratio_by_hand(400, 5000), evidence.ratio_by_hand(400, 5000, 4.0)
    assert np.log(wide[2] / wide[0]) / np.log(plain[2] / plain[0]) == pytest.approx(2.0, rel=0.02)
    assert wide[1] == pytest.approx(plain[1], rel=0.01)


def test_worlds_are_clusters():
    share, error = clustered([8, 10, 9, 9], [10, 10, 10, 10])
    assert share == pytest.approx(0.9)
    assert error == pytest.approx(np.std([0.8, 1.0, 0.9, 0.9], ddof=1) / 2)
    # More rows of the same worlds teach nothing more.
    assert clustered([80, 100, 90, 90], [100] * 4)[1] == pytest.approx(error)
    assert np.isnan(clustered([9], [10])[1])


# ---- Places left out ----


@pytest.fixture(scope="module")
def whole():
    return bind_plan(read_plan(evidence.PLAN))


def test_the_places_with_referrals_and_their_own_outcomes(whole):
    found = evidence.outcomes(whole.blueprint)
    counts = {(o.place, o.names[2], o.steps[0], len(o.steps)): (o.n, o.count) for o in found}
    assert counts["CZ", "2017", STEPS[0], 1] == (2280, 96)
    assert counts["US-AL", "2018", STEPS[1], 1] == (255, 75)
    assert counts["PT", "2018", STEPS[0], 3] == (24995, 28)
    # Counts of every source are no outcomes of referrals, whatever else the place publishes.
    assert not {"DE", "US-NE", "IT", "US-SD"} & {o.place for o in found}


def test_a_place_left_out_keeps_its_referrals_alone(whole):
    before = [o for o in evidence.outcomes(whole.blueprint) if o.place == "US-AL"]
    bound = bind_plan(read_plan(evidence.PLAN, evidence.without("US-AL", whole.panel.funnel.stages)))
    said = {(s.stage, s.period) for s in bound.panel.statements if s.jurisdiction == "US-AL"}
    assert {stage for stage, _ in said} == {"referral"}
    assert not [o for o in evidence.outcomes(bound.blueprint) if o.place == "US-AL"]
    cells = {bound.panel.axes.cell_names(int(cell)) for cell in bound.blueprint.layout.cells}
    assert {o.names for o in before} <= cells
    others = {s.id for s in whole.panel.statements if s.jurisdiction != "US-AL"}
    assert others == {s.id for s in bound.panel.statements if s.jurisdiction != "US-AL"}


def stored(rate: dict[str, float], phi: float) -> SimpleNamespace:
    """A run of two cells whose draws are all alike: the one asked for, and one that misleads."""
    columns = [(step, place) for step in STEPS for place in ("here", "elsewhere")]
    values = [rate[step] if place == "here" else 9.0 for step, place in columns]
    cells = xr.Dataset(
        {"rate": (("chain", "draw", "step_cell"), np.tile(values, (4, 100, 1)))},
        coords={
            "step": ("step_cell", [step for step, _ in columns]),
            "offense": ("step_cell", ["all:unsplit"] * len(columns)),
            "jurisdiction": ("step_cell", [place for _, place in columns]),
            "period": ("step_cell", ["2018"] * len(columns)),
        },
    )
    posterior = xr.Dataset(
        {"phi": (("chain", "draw", "step"), np.full((4, 500, len(STEPS)), phi))}, coords={"step": STEPS}
    )
    return SimpleNamespace(draws=xr.DataTree.from_dict({"cells": cells, "posterior": posterior}))


def test_counts_are_predicted_from_the_rates_of_their_own_path():
    run = stored(dict(zip(STEPS, (0.1, 0.5, 0.3, 0.2), strict=True)), phi=3.0)
    names = ("all:unsplit", "here", "2018")
    asked = [
        evidence.Outcome("here", names, tuple(STEPS[:1]), 2000.0, 200.0),
        evidence.Outcome("here", names, tuple(STEPS[:2]), 2000.0, 170.0),
    ]
    one, two = evidence.predict(run, asked, seed=1)
    assert one["path"] == "referral-investigation"
    assert one["covered"]
    law = stats.nbinom(200 / 2, 1 / 3)  # mean 200, variance 600
    assert one["low"] == pytest.approx(law.ppf(0.05), abs=2)
    assert one["high"] == pytest.approx(law.ppf(0.95), abs=2)
    assert two["path"] == "referral-arrest"
    assert not two["covered"]
    assert two["median"] == pytest.approx(100, abs=3)


# ---- By hand ----


def finished(change: int = 0) -> SimpleNamespace:
    """A run that says of the four rows what the counts with φ = 2 say."""
    said, rows = [], []
    for place, period, before, after, n, count in evidence.BY_HAND:
        for stage, value in ((before, n), (after, count + change)):
            said.append(
                {"stage": stage, "offense": "all", "jurisdiction": place, "period": period, "count": value}
            )
        low, middle, high = evidence.ratio_by_hand(count, n, 2.0)
        rows.append(
            {
                "quantity_id": f"rate|{before}-{after}|all|{place}|{period}|superpopulation",
                "q05": low,
                "median": middle,
                "q95": high,
                "contraction_own": 0.9,
                "label": "data-driven",
            }
        )
    posterior = xr.Dataset(
        {"phi": (("chain", "draw", "step"), np.full((2, 5, 4), 2.0))}, coords={"step": STEPS}
    )
    draws = xr.DataTree.from_dict({"posterior": posterior})
    return SimpleNamespace(estimates=pd.DataFrame(rows), draws=draws, intake={"statements": said})


def test_a_run_that_says_what_the_count_says_lies_nowhere_apart(capsys):
    table = evidence.hand(finished())
    assert len(table) == 4
    sentence = evidence.apart(table.to_dict("records")[0])
    assert "lies 0.00 sd" in sentence
    assert "1.00 times as wide as with φ" in sentence
    assert "1.4 times as wide (on the log)" in sentence
    evidence.say_hand(table)
    assert "255 of 2,549" in capsys.readouterr().out


def test_a_changed_count_is_noticed():
    with pytest.raises(AssertionError, match="is no longer"):
        evidence.hand(finished(change=1))


# ---- The twin ----


def test_rows_are_counted_by_axis_and_label():
    nodes = [("csam", "all", "all"), ("all", "CZ", "all"), ("all", "all", "2020"), ("all", "all", "all")]
    table = pd.DataFrame(nodes, columns=["offense", "jurisdiction", "period"])
    table["quantity_id"], table["q05"], table["q95"] = list("abcd"), 0.1, 0.2
    table["label"] = ["prior-driven", "data-driven", "prior-driven", "data-driven"]
    counted = twins.held(table, {"a": 0.15, "b": 0.05, "c": 0.1, "d": 0.3})
    assert counted["sets"] == {
        "all rows": [2, 4],
        "front table": [1, 2],
        "by place": [0, 1],
        "by year": [1, 1],
        "prior-driven": [2, 2],
        "data-driven": [0, 2],
    }
    assert counted["missed"] == ["b", "d"]
    assert counted["above"] == 1


def test_a_truth_lies_where_its_own_draws_lie(whole):
    """Fed with the truth itself as its only draws, a table holds it."""
    draws = whole.blueprint.prior_draws(np.random.default_rng(3), 1)
    truth = twins.truths(whole.blueprint, draws, np.random.default_rng(4))
    rates = {name: value for name, value in truth.items() if name.startswith(f"rate|{STEPS[0]}|")}
    assert f"rate|{STEPS[0]}|all|all|all|superpopulation" in rates
    assert all(np.isfinite(value) and value > 0 for value in rates.values())
    cells = [
        value for name, value in rates.items() if "|all|all|all|" not in name and name.count("|all") == 0
    ]
    assert (
        min(cells)
        <= truth[f"rate|{STEPS[0]}|all|all|all|superpopulation"]
        <= max(rates.values()) * (1 + 1e-9)
    )


def test_a_line_cut_short_does_not_count(tmp_path):
    file = tmp_path / "deep" / "lines.jsonl"
    assert read_lines(file) == []
    add_line(file, {"seed": 1})
    add_line(file, {"seed": 2})
    file.write_text(file.read_text()[:-4])
    assert read_lines(file) == [{"seed": 1}]
    add_line(file, {"seed": 2})


# ---- The fits: hours, and resumed where they stopped ----


@pytest.mark.slow
def test_places_left_out_are_predicted():
    table = evidence.places(ROOT / "out" / "evidence", draft=True)
    evidence.say_places(table)
    assert table["covered"].mean() >= 0.8


@pytest.mark.slow
def test_twins_are_covered():
    records = twins.twins(ROOT / "out" / "evidence", range(1, 21))
    twins.say_twins(records)
    worlds = [record["sets"]["all rows"] for record in records if record["status"] == "fitted"]
    assert len(worlds) == 20
    share, _ = clustered(*zip(*worlds, strict=True))
    assert 0.85 <= share <= 0.95
