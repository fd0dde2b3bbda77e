"""Small runs on disk whose numbers are known by heart: two offenses in two places, two steps, the last a ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attrition.data.names import ESTIMATE_COLUMNS
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import RunWriter

STEPS = {"referral-case": "probability", "case-arrest": "ratio"}
WHOLE = "referral-arrest"
AXES = {
    "offense": ("theft", "fraud"),
    "jurisdiction": ("North", "South"),
    "period": ("2024",),
}
PLACES = [
    (o, j, t) for o in ("all", "theft", "fraud") for j in ("all", "North", "South") for t in ("all", "2024")
]


def draws_of(offset: float, seed: int) -> np.ndarray:
    """(2, 300, Q) draws of every row, cells included, of spread .2 on their link scale."""
    rng = np.random.default_rng(seed)
    centre = np.linspace(-1.5, 0.5, len(PLACES) * 3) + offset
    eta = centre + 0.2 * rng.standard_normal((2, 300, len(centre)))
    ratio = np.repeat([False, True, True], len(PLACES))
    return np.where(ratio, np.exp(eta), 1 / (1 + np.exp(-eta)))


def estimates_of(draws: np.ndarray, hidden: Sequence[str], without: Sequence[str]) -> pd.DataFrame:
    """Rows of every node; those of hidden offenses are not published, those of others are not there."""
    rows = []
    steps = [("rate", step) for step in STEPS] + [("end_to_end", WHOLE)]
    for number, (quantity, step, node) in enumerate((q, s, node) for q, s in steps for node in PLACES):
        name = "|".join([quantity, step, *node, "superpopulation"])
        label = "not published" if node[0] in hidden else "data-driven"
        median = np.nan if node[0] in hidden else float(np.median(draws[..., number]))
        row = dict.fromkeys(ESTIMATE_COLUMNS, np.nan) | {
            "quantity_id": name, "quantity": quantity, "step": step, "offense": node[0], "jurisdiction": node[1],
            "period": node[2], "basis": "superpopulation", "clock": "cohort", "median": median, "label": label,
        }  # fmt: skip
        if node[0] not in without:
            rows += [row, row | {"quantity_id": name.replace("superpopulation", "finite"), "basis": "finite"}]
    return pd.DataFrame(rows, columns=list(ESTIMATE_COLUMNS))


def tree_of(draws: np.ndarray) -> xr.DataTree:
    """Aggregates in full, the rates of cells apart, as a run keeps them."""
    leaf = np.array([all(n != "all" for n in node) for node in PLACES] * 3)
    frame = estimates_of(draws, (), ())
    ids = list(frame["quantity_id"][frame["basis"] == "superpopulation"])
    kept = [name for name, single in zip(ids, leaf, strict=True) if not single]
    cells = np.flatnonzero(leaf[: 2 * len(PLACES)])
    names = [(step, *node) for step in STEPS for node in PLACES]
    coords = {axis: ("step_cell", [names[c][k] for c in cells]) for k, axis in enumerate(("step", *AXES))}
    return xr.DataTree.from_dict(
        {
            "quantities": xr.Dataset(
                {"value": (("chain", "draw", "quantity_id"), draws[..., ~leaf])}, coords={"quantity_id": kept}
            ),
            "cells": xr.Dataset({"rate": (("chain", "draw", "step_cell"), draws[..., cells])}, coords=coords),
        }
    )


def statement(number: int, stage: str, count: float | None = None, **more: Any) -> dict[str, Any]:
    """A line of intake.json."""
    line = {
        "id": f"t.csv:{number}:{stage}", "stage": stage, "offense": "theft", "jurisdiction": "North", "period": "2024",
        "relation": "exact", "count": count, "low": None, "high": None, "unit": "", "origin": "referred_only",
        "clock": "cohort", "source_id": "gazette", "file": "t.csv", "row": number, "role": "use", "status": "used",
        "reason": "", "kinds": ["exact"], "others": [], "as_of": "2025-01-01", "note": "",
    }  # fmt: skip
    return {**line, **more}


def write_run(
    root: Path,
    identity: str,
    *,
    offset: float = 0.0,
    seed: int = 1,
    status: str = "complete",
    hidden: Sequence[str] = (),
    without: Sequence[str] = (),
    statements: Sequence[Mapping[str, Any]] = (),
    plan: Mapping[str, Any] | None = None,
    patches: Mapping[str, Any] | None = None,
    written: str = "",
    created: str = "2026-01-01T00:00:00",
) -> Run:
    """A run whose rates lie ``offset`` above those of offset 0 on the link scale."""
    draws = draws_of(offset, seed)
    axes = {
        axis: [{"name": "all", "label": "all", "parent": None}]
        + [{"name": leaf, "label": leaf, "parent": "all"} for leaf in leaves]
        for axis, leaves in AXES.items()
    }
    blueprint = {
        "funnel": {"stages": ["referral", "case", "arrest"], "assume_one_to_one": {}},
        "steps": [{"name": name, "kind": kind, "assumed": ""} for name, kind in STEPS.items()],
        "axes": axes,
        "answer": {"jurisdiction": "all", "period": "all"},
        "patches": dict(patches or {}),
        "plan": dict(plan or {}),
    }
    manifest = {
        "name": "known", "identity": identity, "status": status, "created": created, "engine": "nuts", "seed": 1,
        "timings": {"total": 12.5}, "diagnostics": {"ess_min": 1000.0}, "engine_args": {"draws": 300},
    }  # fmt: skip
    with RunWriter(root, "known", identity, again=True) as writer:
        writer.write_text("plan.toml", written)
        writer.write_json("manifest.json", manifest)
        writer.write_json("blueprint.json", blueprint)
        writer.write_json("intake.json", {"statements": list(statements)})
        writer.write_table("estimates", estimates_of(draws, hidden, without))
        writer.write_draws(tree_of(draws))
    return Run(writer.final)
