"""Small runs to write and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from attrition.data.names import ESTIMATE_COLUMNS
from attrition.estimation.store.write import RunWriter

AXES = {
    "offense": [
        {"name": "all", "label": "All offenses", "parent": None},
        {"name": "theft", "label": "Theft", "parent": "all"},
        {"name": "fraud", "label": "Fraud", "parent": "all"},
    ],
    "jurisdiction": [
        {"name": "all", "label": "All", "parent": None},
        {"name": "North", "label": "North", "parent": "all"},
    ],
    "period": [
        {"name": "all", "label": "All", "parent": None},
        {"name": "2024", "label": "2024", "parent": "all"},
    ],
}


def estimates() -> pd.DataFrame:
    """Rows in an order that is neither the funnel's nor the axes'; the only step is also the whole way."""
    rows = []
    for quantity in ("rate", "end_to_end"):
        for basis in ("finite", "superpopulation"):
            for offense in ("fraud", "theft", "all"):
                for place in ("all", "North"):
                    rows.append(
                        dict.fromkeys(ESTIMATE_COLUMNS, np.nan)
                        | {
                            "quantity_id": f"{quantity}/{basis}/{offense}/{place}",
                            "quantity": quantity,
                            "step": "referral-arrest",
                            "offense": offense,
                            "jurisdiction": place,
                            "period": "all",
                            "basis": basis,
                            "median": 0.25,
                            "label": "data-driven",
                        }
                    )
    return pd.DataFrame(rows, columns=list(ESTIMATE_COLUMNS))


@pytest.fixture
def write() -> Callable[..., Path]:
    """Write a run and return where it stands."""

    def _write(
        root: Path,
        identity: str = "aaaaaaaaaaaa",
        status: str = "complete",
        created: str = "2026-01-01T00:00:00",
        mark: str = "",
        again: bool = False,
        name: str = "quarterly",
    ) -> Path:
        with RunWriter(root, name, identity, again) as writer:
            writer.write_json(
                "manifest.json",
                {"name": name, "identity": identity, "status": status, "created": created, "mark": mark},
            )
            answer = {"jurisdiction": "all", "period": "all"}
            writer.write_json("blueprint.json", {"axes": AXES, "answer": answer})
            writer.write_json("checks.json", [])
            writer.write_table("estimates", estimates())
        return writer.final

    return _write


@pytest.fixture
def draws() -> xr.DataTree:
    """Two groups with names as coordinates, drawn in double precision."""
    rng = np.random.default_rng(1)
    posterior = xr.Dataset(
        {"offense": (("chain", "draw", "offense_name"), rng.normal(size=(2, 5, 2)))},
        coords={"offense_name": np.array(["theft", "fraud"], dtype=object)},
    )
    cells = xr.Dataset(
        {"rate": (("chain", "draw", "step_cell"), rng.uniform(size=(2, 3, 4)))},
        coords={"period": ("step_cell", pd.array(["2023", "2024", "2023", "2024"], dtype="str"))},
    )
    value = (("chain", "draw", "quantity_id"), rng.normal(size=(2, 5, 40)))
    quantities = xr.Dataset({"value": value}, coords={"quantity_id": [f"q{i}" for i in range(40)]})
    return xr.DataTree.from_dict({"posterior": posterior, "cells": cells, "quantities": quantities})
