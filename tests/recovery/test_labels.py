"""Honest labels in a simulated world where three jurisdictions in ten are silent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.verbs import estimate


@pytest.mark.slow
def test_silent_cells_are_prior_driven_and_large_exact_cells_data_driven(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    command = [str(Path(sys.executable).with_name("attrition")), "init", "simulated", str(folder)]
    shape = ["--offenses", "4", "--jurisdictions", "20", "--periods", "8", "--silent", "0.3"]
    subprocess.run([*command, *shape, "--mean-referrals", "200"], check=True, capture_output=True)
    run = estimate(folder / "plan.toml", draft=True, progress=False)
    rows = run.estimates
    cells = rows[(rows["quantity"] == "rate") & (rows["basis"] == "superpopulation")]
    leaf = (cells["offense"] != "all") & (cells["jurisdiction"] != "all") & cells["period"].str.contains("Q")
    cells = cells[leaf]
    seen = pd.read_csv(folder / "data.csv", dtype=str)
    heard = set(seen.loc[seen["investigation"].notna(), "jurisdiction"])
    silent = cells[~cells["jurisdiction"].isin(heard)]
    assert len(silent) == 2 * 4 * 8 * 6
    assert set(silent["label"]) <= {"prior-driven", "not published"}
    large = cells[cells["jurisdiction"].isin(heard) & (cells["denominator_median"] >= 200)]
    print(large["label"].value_counts())
    assert len(large) > 100
    assert set(large["label"]) == {"data-driven"}
