"""``attrition backtest``: every date fitted once, one table, and what cannot be fitted told and passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from attrition.cli.pipelines import backtest as pipeline
from attrition.data.errors import InputError, Problem
from attrition.data.names import HISTORY_COLUMNS
from attrition.estimation import verbs
from attrition.estimation.store.runs import Run

from ..reports.world import World, write_world

PLAN = """format = 1
name = "made-up"
[funnel]
stages = ["referral", "investigation", "arrest"]
[[input]]
file = "data.csv"
"""
DATES = ("2024-01-31", "2024-04-30", "2024-07-31", "2024-10-31")


@pytest.fixture
def office(tmp_path: Path, monkeypatch) -> tuple[Path, list[str]]:
    """A plan with numbers of four days, the first restated; fits are made-up runs, and the days asked for are kept."""
    rows = [f"theft,North,2023,100,{20 + k},5,{day}" for k, day in enumerate(DATES)]
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "data.csv").write_text(
        "\n".join(["offense,jurisdiction,period,referral,investigation,arrest,as_of", *rows]) + "\n"
    )
    asked: list[str] = []

    def seed(plan: Any) -> int:
        return 1 + DATES.index(plan.intake.as_of)

    def estimate(plan: Any, *, runs: Path, progress: bool) -> Run:
        asked.append(plan.intake.as_of)
        if asked[-1] == DATES[0] and (tmp_path / "too early").exists():
            raise InputError(Problem("no statement carries information"))
        return Run(
            write_world(runs, World(seed=seed(plan), offenses=2, jurisdictions=3, periods=2, draws=20))
        )

    monkeypatch.setattr(verbs, "estimate", estimate)
    monkeypatch.setattr(pipeline, "run_identity", lambda bound, plan: f"{seed(plan):012x}")
    return tmp_path, asked


def test_what_was_said_first_against_what_is_known_now(shell, office):
    folder, asked = office
    answer = shell("backtest", folder / "plan.toml", "--json")
    assert answer.code == 0, answer.err
    assert asked == list(DATES)
    found = json.loads(answer.out)
    assert [one["as_of"] for one in found["dates"]] == list(DATES)
    assert Path(found["folder"]) == (folder / "runs" / "backtest" / "made-up").resolve()
    table = pd.read_csv(Path(found["folder"]) / "backtest.csv")
    assert tuple(table.columns) == HISTORY_COLUMNS
    assert found["numbers"] == len(table) > 20
    runs = {
        day: Run(Path(found["folder"]) / one["run"]) for day, one in zip(DATES, found["dates"], strict=True)
    }
    first, last = (runs[day].estimates.set_index("quantity_id") for day in (DATES[0], DATES[-1]))
    whole = table[table["first_as_of"] == DATES[0]].set_index("quantity_id")
    np.testing.assert_allclose(whole["first"], first.loc[whole.index, "median"])
    np.testing.assert_allclose(whole["latest"], last.loc[whole.index, "median"])
    counted = whole["first_label"] == "counted"
    outside = (whole["latest"] < whole["first_q05"]) | (whole["latest"] > whole["first_q95"])
    assert whole.loc[~counted, "outside"].astype(bool).tolist() == outside[~counted].tolist()
    told = {(one["quantity"], one["step"], one["basis"]): one for one in found["statistics"]}
    rows = table[(table["quantity"] == "rate") & (table["step"] == "referral-investigation")]
    rows = rows[(rows["basis"] == "finite") & (rows["first_label"] != "counted")]
    mine = told["rate", "referral-investigation", "finite"]
    assert mine["numbers"] == len(rows) > 5
    assert mine["mean_absolute"] == pytest.approx(rows["revision"].abs().mean())
    assert mine["share_outside"] == pytest.approx(rows["outside"].astype(bool).mean())


def test_what_is_stored_is_not_fitted_again(shell, office):
    folder, asked = office
    shell("backtest", folder / "plan.toml", "--from", DATES[1], "--every", "2")
    assert asked == [DATES[1], DATES[3]]
    before = (folder / "runs" / "backtest" / "made-up" / "backtest.csv").read_bytes()
    shell("backtest", folder / "plan.toml")
    assert asked == [DATES[1], DATES[3], DATES[0], DATES[2]]
    shell("backtest", folder / "plan.toml", "--from", DATES[1], "--every", "2")
    assert len(asked) == 4
    assert (folder / "runs" / "backtest" / "made-up" / "backtest.csv").read_bytes() == before
    # None of them is the plan's own latest run.
    assert shell("show", folder / "plan.toml").code == 2


def test_a_date_too_early_for_the_plan_is_told_and_passed_over(shell, office):
    folder, _ = office
    (folder / "too early").touch()
    answer = shell("backtest", folder / "plan.toml")
    assert answer.code == 0
    assert f"Skipped, {DATES[0]}: no statement carries information" in answer.out
    assert "Revisions from the first to the last" in answer.out


def test_one_date_is_nothing_to_compare(shell, office):
    folder, asked = office
    answer = shell("backtest", folder / "plan.toml", "--from", DATES[-1])
    assert (answer.code, answer.out, asked) == (2, "", [])
    assert "there is nothing to compare" in answer.err


def test_no_day_to_come_is_replayed(shell, office):
    folder, asked = office
    plan, data = folder / "plan.toml", folder / "data.csv"
    plan.write_text(PLAN + '[intake]\nas_of = "2099-01-01"\n')
    answer = shell("backtest", plan)
    assert (answer.code, asked) == (2, [])
    assert answer.err.startswith("plan, [intake] as_of: a date in the future; found 2099-01-01; allowed: ")
    plan.write_text(PLAN)
    data.write_text(data.read_text() + "theft,North,2023,100,40,5,2099-01-01\n")
    assert shell("backtest", plan).code == 0
    assert asked == list(DATES)
