"""Data at the edge of what can be said: fitted and labelled, or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode

from attrition.cli.exits import INPUT, guarded
from attrition.data.names import LABELS, ROOT
from attrition.estimation.store.runs import Run
from attrition.estimation.verbs import compile, estimate

PLAN = """format = 1
[funnel]
stages = ["referral", "investigation"]
[[input]]
file = "data.csv"
as_of = 2025-01-31
[[effect]]
kind = "offense"
[[effect]]
kind = "jurisdiction"
[[effect]]
kind = "time"
[[effect]]
kind = "cell"
[estimate]
chains = 2
draws = 150
tune = 150
"""
Row = tuple[str, str, int, int | str, int | str]
CELLS = [(o, j, t) for o in ("theft", "fraud") for j in ("North", "South") for t in (2023, 2024)]


def write(folder: Path, rows: Sequence[Row]) -> Path:
    lines = ["offense,jurisdiction,period,referral,investigation", *(",".join(map(str, r)) for r in rows)]
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    (folder / "plan.toml").write_text(PLAN)
    return folder / "plan.toml"


def fitted(folder: Path, rows: Sequence[Row]) -> Run:
    """The run, of which every row has a label, ordered quantiles inside their limits, and bounds."""
    run = estimate(write(folder, rows), progress=False)
    table = run.estimates
    assert set(table["label"]) <= set(LABELS)
    quantiles = table.loc[
        table["median"].notna() & (table["quantity"] == "rate"), ["q05", "q25", "median", "q75", "q95"]
    ].to_numpy(dtype=float)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert ((quantiles >= 0) & (quantiles <= 1)).all()
    assert (table["bound_low"] <= table["bound_high"]).all()
    assert not any(one["verdict"] == "failed" for one in run.checks if one["name"] in ("closure", "bounds"))
    return run


def root(run: Run):
    """The superpopulation rate of all cells together."""
    table = run.estimates[
        (run.estimates["basis"] == "superpopulation") & (run.estimates["quantity"] == "rate")
    ]
    at = (table[["offense", "jurisdiction", "period"]] == ROOT).all(axis=1)
    return table[at].iloc[0]


@pytest.mark.parametrize("share", [0, 1], ids=["all zeros", "all ones"])
def test_no_outcome_and_nothing_but_outcomes(tmp_path, share):
    """The interval of eight cells of 30 lies at the edge without touching it."""
    row = root(fitted(tmp_path, [(*cell, 30, 30 * share) for cell in CELLS]))
    away = (row["q95"] if share == 0 else 1 - row["q05"], row["q05"] if share == 0 else 1 - row["q95"])
    assert 0 < away[1] < away[0] < 0.06


@pytest.mark.parametrize(
    ("kept", "name"), [(lambda c: c[1] == "North", "jurisdiction"), (lambda c: c[0] == "theft", "offense"),
                       (lambda c: c[2] == 2024, "period")], ids=["one place", "one offense", "one period"]
)  # fmt: skip
def test_an_axis_of_one(tmp_path, kept: Callable[[tuple[str, str, int]], bool], name):
    """Its node and the root are the same row twice, and hold the pooled rate."""
    rows = [(*cell, 60, 20) for cell in CELLS if kept(cell)]
    run = fitted(tmp_path, rows)
    table = run.estimates[run.estimates["basis"] == "superpopulation"]
    others = [axis for axis in ("offense", "jurisdiction", "period") if axis != name]
    same = table[(table[others] == ROOT).all(axis=1) & (table["quantity"] == "rate")]
    assert len(same) == 2
    assert same["median"].iloc[0] == pytest.approx(same["median"].iloc[1])
    assert same["q05"].iloc[0] < 1 / 3 < same["q95"].iloc[0]


def test_one_cell_with_the_default_effects(tmp_path):
    """Axes of one leave effects without coefficients; the density is still one of the counts."""
    text = write(tmp_path, [("theft", "North", 2023, 60, 20)]).read_text()
    (tmp_path / "plan.toml").write_text(text.split("[[effect]]")[0])
    model = compile(tmp_path / "plan.toml").model
    logp = model.compile_logp(mode=Mode("py", get_mode("FAST_COMPILE").provided_optimizer))
    point = model.initial_point(random_seed=0)
    low, high = (logp({**point, "intercept": np.array([level])}) for level in (-9.0, np.log(0.5)))
    assert np.isfinite([low, high]).all()
    assert high - low > 100  # twenty of sixty are not one in eight thousand


def test_a_single_total(tmp_path):
    """One number about eight cells: the root is known, no cell is data-driven."""
    run = fitted(tmp_path, [*((*cell, 60, "") for cell in CELLS), ("all", "all", "all", "", 160)])
    row = root(run)
    assert row["q05"] < 1 / 3 < row["q95"]
    below = run.estimates[(run.estimates["offense"] != ROOT) & (run.estimates["basis"] == "superpopulation")]
    assert len(below)
    assert not (below["label"] == "data-driven").any()


def test_no_referral_anywhere(tmp_path, capsys):
    """Nothing is fitted, every statement is named, and nothing is written."""
    plan = write(tmp_path, [(*cell, 0, 0) for cell in CELLS])
    assert guarded(lambda: estimate(plan, progress=False)) == INPUT
    told = capsys.readouterr().err
    assert "no statement carries information" in told
    for number in range(len(CELLS)):
        assert f"data.csv, row {number + 2}:" in told
    assert not (tmp_path / "runs").exists()
