"""Scenarios fitted beside a run, and what each moved in the front table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..data.names import AXES
from ..estimation.store.runs import RATES
from .companions import WITHHELD
from .front import offenses
from .view import View


def compared(view: View) -> pd.DataFrame:
    """Front rows of every scenario, scenarios in their order, rows in that of the table; empty without scenarios.

    Returns
    -------
    DataFrame
        The columns of ``sensitivity.parquet`` and ``moved``: the row has a number in the base and in the scenario,
        so that its shift, in posterior sd of the base, has one too.
    """
    rows = view.run.sensitivity
    if rows is None or not len(rows):
        return pd.DataFrame(columns=["scenario", "step", "offense", "shift", "label", "base_label", "moved"])
    keep = rows["quantity"].isin(RATES) & (rows["basis"] == "superpopulation") & rows["step"].isin(view.step)
    for axis in AXES[1:]:
        keep &= rows[axis] == view.answer[axis]
    rows = rows[keep].drop_duplicates(["scenario", "step", "offense"])
    shift = pd.to_numeric(rows["shift"], errors="coerce")
    rows = rows.assign(shift=shift.where(np.isfinite(shift)))
    rows["moved"] = rows["shift"].notna() & (rows["base_label"] != WITHHELD)
    places = {
        "c": rows["scenario"].map({s: i for i, s in enumerate(dict.fromkeys(rows["scenario"]))}),
        "s": rows["step"].map({s: i for i, s in enumerate(view.step)}),
        "o": rows["offense"].map({o: i for i, o in enumerate(offenses(view))}),
    }
    key = pd.DataFrame(places, index=rows.index).dropna()
    return rows.loc[key.sort_values(["c", "s", "o"], kind="stable").index].reset_index(drop=True)


def relabeled(view: View) -> pd.DataFrame:
    """Rows whose label a scenario changed, those absent from one side included."""
    rows = compared(view)
    if not len(rows):
        return rows
    mine, theirs = (
        rows[name].astype(object).where(rows[name].notna(), WITHHELD) for name in ("base_label", "label")
    )
    return rows.assign(label=theirs, base_label=mine)[mine != theirs].reset_index(drop=True)


def by_row(view: View) -> pd.DataFrame:
    """(front rows, scenarios) of shifts, rows with a number alone, in the order of the table."""
    rows = compared(view)
    rows = rows[rows["moved"].astype(bool)]
    wide = rows.pivot_table(index=["step", "offense"], columns="scenario", values="shift", sort=False)
    return wide[[s for s in dict.fromkeys(rows["scenario"]) if s in wide.columns]]
