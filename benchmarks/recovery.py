"""Recovery: ten simulated worlds, known truth, 90 % intervals counted against it.

Each world has 2 steps × 4 offenses × 12 jurisdictions × 8 quarters; 30 % of jurisdiction-quarters are exact, 40 % are
totals over offenses, 20 % have counts of 1 to 4 suppressed and 10 % report nothing. Run by hand::

    python benchmarks/recovery.py [seeds]

Prints, for each seed and pooled, the share of cell rates and of hyperparameters inside their 90 % intervals.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from attrition.estimation.verbs import estimate

KINDS = "exact:3,total:4,bounded:2,silent:1"
KEYS = ["step", "offense", "jurisdiction", "period"]


def one_world(seed: int, folder: Path) -> dict[str, float]:
    """Simulate, fit and count one world."""
    command = [str(Path(sys.executable).with_name("attrition")), "init", "simulated", str(folder)]
    shape = ["--offenses", "4", "--jurisdictions", "12", "--periods", "8", "--steps", "2"]
    subprocess.run([*command, *shape, "--kinds", KINDS, "--seed", str(seed)], check=True, capture_output=True)
    patches = {"estimate.draws": 480, "estimate.tune": 500}
    run = estimate(folder / "plan.toml", patches=patches, progress=False)
    draws = run.draws["cells"].to_dataset()["rate"]
    low, high = np.quantile(draws.to_numpy().reshape(-1, draws.sizes["step_cell"]), [0.05, 0.95], axis=0)
    frame = pd.DataFrame({key: draws.coords[key].to_numpy() for key in KEYS} | {"low": low, "high": high})
    truth = pd.read_parquet(folder / "truth.parquet").merge(frame, on=KEYS, validate="one_to_one")
    inside = (truth["low"] <= truth["rate"]) & (truth["rate"] <= truth["high"])
    hyper = _hyper(run, json.loads((folder / "truth.json").read_text()))
    diagnostics = run.manifest["diagnostics"]
    return {
        "seed": seed,
        "cells": float(inside.mean()),
        "hyper_inside": float(sum(hyper)),
        "hyper": float(len(hyper)),
        "divergences": diagnostics["divergences"],
        "rhat": diagnostics["rhat_max"],
        "seconds": run.manifest["timings"]["total"],
    }


def _hyper(run: object, truth: dict[str, object]) -> list[bool]:
    """Whether each step's intercept and block scales lie inside their 90 % intervals."""
    posterior = run.draws["posterior"].to_dataset()  # type: ignore[attr-defined]
    found = []
    for step in truth["intercept"]:  # type: ignore[attr-defined]
        known = {"intercept": truth["intercept"][step]}  # type: ignore[index]
        known |= {f"sd_{block}": value for block, value in truth["sd"][step].items()}  # type: ignore[index]
        for name, value in known.items():
            draws = posterior[name].sel(step=step).to_numpy().ravel()
            low, high = np.quantile(draws, [0.05, 0.95])
            found.append(bool(low <= value <= high))
    return found


def main() -> None:
    """Every seed, then the pooled shares."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = []
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one_world(seed, Path(folder) / "world"))
        print({key: round(value, 3) for key, value in rows[-1].items()}, flush=True)
    table = pd.DataFrame(rows)
    print(
        f"cells: {table['cells'].mean():.3f} (by world {table['cells'].min():.3f} to {table['cells'].max():.3f})"
    )
    print(f"hyperparameters pooled: {table['hyper_inside'].sum() / table['hyper'].sum():.3f}")


if __name__ == "__main__":
    main()
