"""A plan becomes a run: what is stored, found again, labelled and refused."""

from __future__ import annotations

import json
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest

import attrition
from attrition.data.errors import InputError
from attrition.data.names import ESTIMATE_COLUMNS, GROUPS
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import check, estimate, simulate, validate


def _rows(run: Run, **fixed: str) -> pd.DataFrame:
    table = run.estimates
    for column, value in fixed.items():
        table = table[table[column] == value]
    return table


def test_the_run_folder_holds_what_the_format_names(small_run: Run) -> None:
    found = {path.name for path in small_run.folder.iterdir()}
    assert {
        "plan.toml", "blueprint.json", "manifest.json", "intake.json", "estimates.parquet", "estimates.csv",
        "information.parquet", "checks.json", "draws.nc",
    } <= found  # fmt: skip
    assert tuple(small_run.estimates.columns) == ESTIMATE_COLUMNS
    assert set(GROUPS) <= set(small_run.draws.children)


def test_numbers_read_are_all_accounted_for(small_run: Run) -> None:
    counts = small_run.intake["counts"]
    assert counts["read"] == sum(counts[status] for status in ("used", "unused", "excluded", "dropped"))
    assert len(small_run.intake["statements"]) == counts["read"]
    # 45 denominators, 36 + 36 outcomes in places 0 to 2 less none, 3 × 2 totals in place 3.
    assert counts["read"] == 45 + 2 * 27 + 6


def test_arviz_reads_the_draws(small_run: Run) -> None:
    summary = az.summary(small_run.draws["posterior"].to_dataset()[["intercept", "total_spread"]])
    assert (summary["r_hat"].astype(float) < 1.05).all()


def test_a_second_estimate_returns_the_stored_run(small_run: Run, small_plan: Path) -> None:
    written = (small_run.folder / "manifest.json").stat().st_mtime_ns
    again = estimate(small_plan, progress=False)
    assert again.folder == small_run.folder
    assert (again.folder / "manifest.json").stat().st_mtime_ns == written


def test_other_seeds_and_patches_are_other_runs(small_plan: Path) -> None:
    from attrition.estimation.binding import bind_plan, run_identity
    from attrition.estimation.plan import read_plan

    def identity(**patches: object) -> str:
        plan = read_plan(small_plan, {key.replace("__", "."): value for key, value in patches.items()})
        return run_identity(bind_plan(plan), plan)

    names = [
        identity(),
        identity(estimate__seed=2),
        identity(prior__spread=2.0),
        identity(estimate__draws=600),
    ]
    assert len(set(names)) == 4
    assert identity() == names[0]


def test_silent_places_are_never_data_driven(small_run: Run) -> None:
    silent = _rows(small_run, jurisdiction="j4", quantity="rate")
    assert len(silent)
    assert set(silent["label"]) <= {"prior-driven", "not published"}
    assert (silent["contraction_own"].dropna() == 0).all()
    assert silent[silent["label"] == "not published"][["median", "q05", "q95"]].isna().all(axis=None)


def test_large_exact_cells_are_data_driven(small_run: Run) -> None:
    cells = _rows(small_run, step="referral-investigation", basis="superpopulation", quantity="rate")
    cells = cells[
        cells["jurisdiction"].isin(["j0", "j1", "j2"]) & cells["period"].isin(["2021", "2022", "2023"])
    ]
    cells = cells[(cells["offense"] != "all") & (cells["denominator_median"] >= 200)]
    assert len(cells) >= 20
    assert set(cells["label"]) == {"data-driven"}


def test_cells_known_only_by_totals_stay_model_assisted(small_run: Run) -> None:
    cells = _rows(small_run, jurisdiction="j3", quantity="rate", basis="superpopulation", period="2022")
    parts = cells[cells["offense"] != "all"]
    assert "data-driven" not in set(parts["label"])


def test_counted_rows_are_the_raw_rates(small_run: Run, small_plan: Path) -> None:
    data = pd.read_csv(small_plan.parent / "data.csv", dtype=str)
    row = data[
        (data["offense"] == "possession") & (data["jurisdiction"] == "j1") & (data["period"] == "2022")
    ]
    raw = int(row["investigation"].iloc[0]) / int(row["referral"].iloc[0])
    found = _rows(
        small_run, offense="possession", jurisdiction="j1", period="2022", step="referral-investigation",
        basis="finite",
    )  # fmt: skip
    assert found["label"].tolist() == ["counted"]
    np.testing.assert_allclose(found[["median", "q05", "q95", "bound_low", "bound_high"]].to_numpy(), raw)


def test_finite_rows_lie_inside_their_bounds(small_run: Run) -> None:
    finite = _rows(small_run, basis="finite")
    finite = finite[finite["median"].notna()]
    assert (finite["q05"] >= finite["bound_low"] - 1e-6).all()
    assert (finite["q95"] <= finite["bound_high"] + 1e-6).all()


def test_root_rate_agrees_with_the_pooled_count(small_run: Run, small_plan: Path) -> None:
    root = _rows(
        small_run, offense="all", jurisdiction="all", period="all", step="referral-investigation",
        basis="superpopulation",
    ).iloc[0]  # fmt: skip
    # Possession .3, enticement .15, trafficking .08 in equal numbers.
    assert root["q05"] < 0.1767 < root["q95"]
    assert root["label"] == "data-driven"


def test_information_shares_sum_to_one(small_run: Run) -> None:
    """Of every estimated number: aggregates and crossed nodes, ends to ends, changes, contrasts, single cells."""
    shares = small_run.information.groupby(["quantity_id", "by"])["share"].sum()
    np.testing.assert_allclose(shares.to_numpy(), 1.0, atol=1e-9)
    table = small_run.estimates
    estimated = table[(table["label"] != "counted") & (table["basis"] == "superpopulation")]
    assert {"rate", "end_to_end", "change", "contrast"} == set(estimated["quantity"])
    told = small_run.information.groupby("quantity_id")["by"].nunique()
    assert set(estimated["quantity_id"]) <= set(told.index)
    assert (told == 2).all()


def test_checks_are_stored_and_hard_reports_close(small_run: Run) -> None:
    found = {result["name"]: result for result in check(small_run)}
    assert {"rhat", "ess", "divergences", "ebfmi", "closure", "bounds", "reporting_share"} <= set(found)
    assert found["closure"]["verdict"] == "passed"
    assert found["bounds"]["verdict"] == "passed"
    assert all(result["sentence"] for result in found.values())


def test_run_table_is_tidy(small_run: Run) -> None:
    table = small_run.table(by="offense", step="referral-arrest")
    assert set(table["offense"]) == {"all", "possession", "enticement", "trafficking"}
    assert (table["jurisdiction"] == "all").all()


def test_five_lines_of_python(small_plan: Path, small_run: Run) -> None:
    run = attrition.estimate(small_plan, progress=False)
    assert run.identity == small_run.identity
    model = attrition.compile(small_plan).model
    assert "intercept" in model.named_vars


def test_simulate_is_deterministic_and_keeps_the_denominators(small_plan: Path) -> None:
    one, two, other = (simulate(small_plan, seed) for seed in (3, 3, 4))
    assert one == two != other
    first = {s["id"]: s["count"] for s in one["statements"] if s["stage"] == "referral"}
    assert first == {s["id"]: s["count"] for s in other["statements"] if s["stage"] == "referral"}


def test_validate_names_silent_rows(small_plan: Path) -> None:
    found = validate(small_plan)
    assert found.problems == []
    assert any("j4" in row for row in found.without_statement)


@pytest.mark.parametrize(
    ("patches", "words"),
    [
        ({"prior.intercept": {"median": 0.5, "sd": 30.0}}, "the prior implies rates that nobody means"),
        ({"answer.jurisdiction": "nowhere"}, "no such node"),
        ({"answer.period": "last"}, "a node of the axis, all, or latest"),
        ({"estimate.engine": "laplace"}, "a report speaks of several cells"),
        ({"effect": [{"kind": "tyme"}]}, "did you mean 'time'"),
        ({"prior.intercept": {"referral-arest": {"median": 0.1}}}, "unknown step"),
    ],
)
def test_faults_are_named_and_nothing_is_written(
    small_plan: Path, patches: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        estimate(small_plan, patches=patches, runs=tmp_path / "runs", progress=False)
    assert not (tmp_path / "runs").exists()


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("jurisdiction,period,referral,arrest\na,2020,0,0\nb,2020,0,\n")
    (tmp_path / "plan.toml").write_text(
        'format = 1\n[funnel]\nstages = ["referral", "arrest"]\n[[input]]\nfile = "data.csv"\nas_of = 2021-01-01\n'
    )
    with pytest.raises(InputError, match="no statement carries information"):
        estimate(tmp_path / "plan.toml", progress=False)


def test_manifest_says_how_it_was_made(small_run: Run) -> None:
    manifest = json.loads((small_run.folder / "manifest.json").read_text())
    assert manifest["engine"] == "nuts"
    assert manifest["timings"]["total"] > 0
    assert manifest["identity"] == small_run.folder.name
