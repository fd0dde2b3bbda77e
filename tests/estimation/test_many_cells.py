"""A run of many cells: its draws are a Zarr folder, and every number is that of a run of few."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from attrition.estimation.verbs import estimate

from .calibration.conftest import DATA, PLAN


def test_draws_of_many_cells_are_the_same_numbers(tmp_path, monkeypatch) -> None:
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "plan.toml").write_text(PLAN)
    few = estimate(tmp_path / "plan.toml", progress=False, runs=tmp_path / "few")
    monkeypatch.setattr("attrition.estimation.fitting.MANY", 0)
    many = estimate(tmp_path / "plan.toml", progress=False, runs=tmp_path / "many")
    assert (many.folder / "draws.zarr").is_dir()
    assert not (many.folder / "draws.nc").exists()
    assert set(many.draws.children) == set(few.draws.children)
    for name, group in few.draws.children.items():
        xr.testing.assert_equal(many.draws[name].to_dataset().load(), group.to_dataset().load())
    pd.testing.assert_frame_equal(many.estimates, few.estimates)
    pd.testing.assert_frame_equal(many.information, few.information)
