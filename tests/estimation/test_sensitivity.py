"""What a scenario moved, by hand; what two runs have otherwise; a sweep that is stopped and goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from attrition.data.errors import InputError
from attrition.data.names import SCENARIO_KEYS, SENSITIVITY_COLUMNS
from attrition.estimation.many import Fits
from attrition.estimation.plan import Plan, read_plan
from attrition.estimation.runners.here import Here
from attrition.estimation.sensitivity.compare import Varied, moved
from attrition.estimation.sensitivity.scale import FEW_CELLS, few_cells, paths, ratio_steps
from attrition.estimation.sensitivity.scenario import Scenario
from attrition.estimation.sensitivity.sweep import Answer, keep, sweep
from attrition.estimation.store.find import find_run
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import compare

from ..stored import PLACES, STEPS, WHOLE, draws_of, write_run

SCENARIOS = """name = "known"
[funnel]
stages = ["referral", "case", "arrest"]
[[input]]
file = "t.csv"
[[scenario]]
name = "one"
reason = "first"
set = {"prior.spread" = 2.0}
[[scenario]]
name = "two"
reason = "second"
set = {"prior.spread" = 3.0, "axes.from" = 2015-01-01}
"""


def refused() -> Answer:
    """No weights answer any scenario."""
    return lambda _scenario: "the k-hat of the weights is 0.90, not below 0.67"


def each(fit: Callable[[Plan], Run]) -> Fits:
    """Plans fitted here, one after another."""
    return lambda plans: Here().finished(fit, plans)


def order(plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    """Names and sets of the plan's scenarios."""
    return [(spec.name, spec.set) for spec in plan.scenario]


@pytest.fixture
def base(tmp_path: Path) -> Run:
    return write_run(tmp_path / "runs", "aaaaaaaaaaaa")


class TestShift:
    def test_every_row_moves_by_its_offset(self, base: Run, tmp_path: Path) -> None:
        other = write_run(tmp_path / "runs", "bbbbbbbbbbbb", offset=0.3)
        table = moved(base, [("up", other)])
        assert tuple(table.columns) == SENSITIVITY_COLUMNS
        assert len(table) == 3 * len(PLACES)
        # The same draws on the link scale, .3 further up; their sd is .2 but for Monte Carlo error.
        single = table[(table["quantity"] == "end_to_end") & _cells(table)].index
        exact = table.drop(single)
        np.testing.assert_allclose(exact["shift"] * exact["base_sd"], 0.3, rtol=1e-6)
        np.testing.assert_allclose(exact["base_sd"], 0.2, rtol=0.15)

    def test_the_scale_is_the_log_for_ratios_and_the_logit_else(self, base: Run, tmp_path: Path) -> None:
        table = moved(base, [("up", write_run(tmp_path / "runs", "bbbbbbbbbbbb", offset=1.0, seed=2))])
        for step, link in (
            ("referral-case", lambda p: np.log(p / (1 - p))),
            ("case-arrest", np.log),
            (WHOLE, np.log),
        ):
            row = table[(table["step"] == step) & (table["offense"] == "all")].iloc[0]
            number = (*STEPS, WHOLE).index(step) * len(PLACES)
            draws = link(draws_of(0.0, 1)[..., number].ravel())
            expected = (link(row["value"]) - np.median(draws)) / draws.std(ddof=1)
            assert row["shift"] == pytest.approx(expected, rel=1e-2)
        assert ratio_steps(base.blueprint) == {"case-arrest", WHOLE}

    def test_an_end_to_end_said_to_be_one_to_one_is_a_probability(self, base: Run) -> None:
        said = {**base.blueprint, "funnel": {**base.blueprint["funnel"], "assume_one_to_one": {WHOLE: "so"}}}
        assert ratio_steps(said) == {"case-arrest"}

    def test_a_path_over_a_ratio_step_is_a_ratio(self) -> None:
        kinds = {"a-b": "ratio", "b-c": "probability", "c-d": "probability"}
        blueprint = {
            "funnel": {"stages": list("abcd"), "assume_one_to_one": {}},
            "steps": [{"name": name, "kind": kind} for name, kind in kinds.items()],
        }
        assert ratio_steps(blueprint) == {"a-b", "a-c", "a-d"}
        along = {name: "".join(steps) for name, steps in paths(blueprint).items()}
        assert along == {
            "a-b": "a-b", "b-c": "b-c", "c-d": "c-d", "a-c": "a-bb-c", "b-d": "b-cc-d", "a-d": "a-bb-cc-d",
        }  # fmt: skip

    def test_a_row_that_either_withholds_has_no_shift_but_both_labels(
        self, base: Run, tmp_path: Path
    ) -> None:
        hidden = write_run(tmp_path / "runs", "bbbbbbbbbbbb", hidden=["theft"])
        there, back = moved(base, [("x", hidden)]), moved(hidden, [("x", base)])
        for table, empty, full in ((there, "value", "base"), (back, "base", "value")):
            rows = table[table["offense"] == "theft"]
            assert rows[[empty, "shift"]].isna().all(axis=None)
            assert rows[full].notna().all()
            assert set(zip(rows["label"], rows["base_label"], strict=True)) == {
                ("not published", "data-driven") if empty == "value" else ("data-driven", "not published")
            }
            assert table[table["offense"] == "fraud"]["shift"].notna().all()

    def test_a_row_that_only_one_run_has(self, base: Run, tmp_path: Path) -> None:
        less = write_run(tmp_path / "runs", "bbbbbbbbbbbb", without=["fraud"])
        for table, label in (
            (moved(base, [("x", less)]), "label"),
            (moved(less, [("x", base)]), "base_label"),
        ):
            rows = table[table["offense"] == "fraud"]
            assert len(rows) == len(PLACES)
            assert rows[label].isna().all()
            assert rows["shift"].isna().all()
            assert (rows["quantity"].notna() & rows["step"].notna()).all()

    def test_cells_are_told_only_where_they_are_few(self, base: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        assert few_cells(base)
        assert _cells(moved(base, [("x", base)])).sum() == 3 * 4
        monkeypatch.setattr("attrition.estimation.sensitivity.scale.FEW_CELLS", 11)
        assert not _cells(moved(base, [("x", base)])).any()
        assert FEW_CELLS >= 100

    def test_cells_end_to_end_are_the_products_of_their_steps(self, base: Run) -> None:
        table = moved(base, [("x", base)])
        row = table[_cells(table) & (table["quantity"] == "end_to_end")].iloc[0]
        number = PLACES.index((row["offense"], row["jurisdiction"], row["period"]))
        draws = draws_of(0.0, 1).astype(np.float32)
        product = draws[..., number].astype(float) * draws[..., len(PLACES) + number]
        assert row["base_sd"] == pytest.approx(np.log(product).std(ddof=1), rel=1e-5)


def _cells(table: pd.DataFrame) -> pd.Series:
    return (table["offense"] != "all") & (table["jurisdiction"] != "all") & (table["period"] != "all")


class TestSweep:
    def plan(self, tmp_path: Path) -> Plan:
        (tmp_path / "plan.toml").write_text(SCENARIOS.replace(', "axes.from" = 2015-01-01', ""))
        return read_plan(tmp_path / "plan.toml")

    def scenarios(self, plan: Plan) -> tuple[Scenario, ...]:
        return tuple(
            Scenario(spec.name, spec.reason, spec.set, plan, letter * 12)
            for spec, letter in zip(plan.scenario, "bc", strict=True)
        )

    def test_what_is_stored_is_not_fitted_again(self, base: Run, tmp_path: Path) -> None:
        plan = self.plan(tmp_path)
        asked, said = [], []

        def stopped(_plan: Plan) -> Run:
            asked.append(1)
            if len(asked) == 2:
                raise KeyboardInterrupt
            return write_run(tmp_path / "runs", "bbbbbbbbbbbb", status="unfit")

        with pytest.raises(KeyboardInterrupt):
            sweep(self.scenarios(plan), base, tmp_path / "runs", refused, each(stopped), said.append)
        assert base.scenarios == []

        def fit(_plan: Plan) -> Run:
            asked.append(1)
            return write_run(tmp_path / "runs", "cccccccccccc", offset=0.2)

        varied = sweep(self.scenarios(plan), base, tmp_path / "runs", refused, each(fit), said.append)
        assert len(asked) == 3
        assert [one.run.identity for one in varied] == ["b" * 12, "c" * 12]
        assert "Scenario 1 of 2, one: 12 s, unfit: the sampler did not reach its diagnostics" in said
        assert any(line.startswith("Scenario 1 of 2, one: stored, unfit") for line in said)
        found = keep(base, varied, order(plan))
        assert found.unfit
        assert [entry["status"] for entry in found.base.scenarios] == ["unfit", "complete"]

    def test_it_is_kept_beside_the_base(self, base: Run, tmp_path: Path) -> None:
        plan = self.plan(tmp_path)
        run = write_run(tmp_path / "runs", "bbbbbbbbbbbb", offset=0.4)
        keep(base, (Varied("two", "second", {"prior.spread": 3.0}, run),), order(plan))
        stored = Run(base.folder)
        entry = {"name": "two", "reason": "second", "set": {"prior.spread": 3.0}, "identity": "b" * 12}
        route = {"route": "refitted", "why": "", "khat": None, "ess": None, "claims_changed": []}
        assert stored.scenarios == [{**entry, "status": "complete", "seconds": 12.5, **route}]
        assert tuple(stored.scenarios[0]) == SCENARIO_KEYS
        assert tuple(stored.sensitivity.columns) == SENSITIVITY_COLUMNS
        csv = pd.read_csv(base.folder / "sensitivity.csv")
        np.testing.assert_allclose(csv["shift"], stored.sensitivity["shift"].astype(float))
        # One scenario more: the other is kept, in the order of the plan.
        keep(stored, (Varied("one", "first", {"prior.spread": 2.0}, base),), order(plan))
        again = Run(base.folder)
        assert [entry["name"] for entry in again.scenarios] == ["one", "two"]
        assert list(dict.fromkeys(again.sensitivity["scenario"])) == ["one", "two"]
        # A scenario that the plan has changed since is not.
        (tmp_path / "plan.toml").write_text((tmp_path / "plan.toml").read_text().replace("3.0", "4.0"))
        keep(
            again,
            (Varied("one", "first", {"prior.spread": 2.0}, base),),
            order(read_plan(tmp_path / "plan.toml")),
        )
        assert [entry["name"] for entry in Run(base.folder).scenarios] == ["one"]

    def test_it_is_written_whole_or_not_at_all(
        self, base: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = self.plan(tmp_path)
        keep(base, (Varied("one", "first", {"prior.spread": 2.0}, base),), order(plan))
        replace, calls = os.replace, []

        def failing(source: Path, target: Path) -> None:
            calls.append(target)
            if len(calls) == 3:
                raise OSError("the disk is full")
            replace(source, target)

        monkeypatch.setattr("attrition.estimation.store.beside.os.replace", failing)
        with pytest.raises(OSError, match="full"):
            keep(Run(base.folder), (Varied("two", "second", {"prior.spread": 3.0}, base),), order(plan))
        left = Run(base.folder)
        assert (left.scenarios, left.sensitivity) == ([], None)
        assert not [path for path in base.folder.iterdir() if path.name.startswith(".")]


class TestRunsOfScenarios:
    def test_a_plan_means_its_own_run_although_a_scenario_is_newer(self, tmp_path: Path) -> None:
        (tmp_path / "plan.toml").write_text(SCENARIOS)
        own = write_run(tmp_path / "runs", "aaaaaaaaaaaa", status="unfit", written=SCENARIOS)
        sets = [
            {"prior.spread": 3.0, "axes.from": "2015-01-01"},
            {"prior.spread": 2.0},
            {"prior.spread": 9.0},
        ]
        runs = [
            write_run(tmp_path / "runs", letter * 12, patches=patches, written=SCENARIOS,
                      created=f"2026-02-0{number}T00:00:00")
            for number, (letter, patches) in enumerate(zip("bcd", sets, strict=True), start=1)
        ]  # fmt: skip
        assert [run.scenario for run in (own, *runs)] == [None, "two", "one", None]
        assert find_run(tmp_path / "plan.toml").identity == "d" * 12
        os.rename(runs[2].folder, tmp_path / "away")
        assert find_run(tmp_path / "plan.toml").identity == "a" * 12
        os.rename(own.folder, tmp_path / "further")
        assert find_run(tmp_path / "plan.toml").identity == "c" * 12


def test_comparing_two_stored_runs(base: Run, tmp_path: Path) -> None:
    two = write_run(tmp_path / "runs", "bbbbbbbbbbbb", offset=0.5)
    found = compare(base.folder, "bbbb", runs=tmp_path / "runs")
    assert [one.name for one in found.varied] == ["b" * 12]
    pd.testing.assert_frame_equal(found.table, moved(base, [("b" * 12, two)]))
    assert json.dumps([one.record() for one in found.differences]) == "[]"
    # 1.96 standard errors of a median, √(π/2) those of a mean, on either side.
    assert found.noise == pytest.approx(1.96 * np.sqrt(np.pi / 2 * 2 / 1000))
    front = found.front()
    assert list(front["offense"]) == ["all", "theft", "fraud"] * 3
    assert set(front["jurisdiction"]) == {"all"}
    assert front["largest"].all()
    with pytest.raises(InputError, match="both are the same run"):
        compare(base, base.folder)
