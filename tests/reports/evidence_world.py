"""A synthetic run as of published evidence: ratios, same-period counts, a stated mix, finer offenses, scenarios."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from attrition.data.names import ESTIMATE_COLUMNS, SENSITIVITY_COLUMNS
from attrition.estimation.store.beside import write_sensitivity
from attrition.estimation.store.write import RunWriter

from .documents import blueprint, checks, manifest, write_claims
from .evidence_account import MIX, WORLD, intake
from .world import World

STAGES = ("referral", "investigation", "arrest", "prosecution", "conviction")
STEPS = tuple(f"{a}-{b}" for a, b in pairwise(STAGES))
WHOLE = "referral-conviction"
UNITS = {"referral": "report", "investigation": ["case", "person"], "arrest": "person",
         "prosecution": ["person", "case"], "conviction": "person"}  # fmt: skip
OFFENSES = [("all", "All offenses", None), ("csam", "Child sexual abuse material", "all"),
            ("possession", "Possession", "csam"), ("accessing", "Accessing", "possession"),
            ("enticement", "Online enticement", "all"), ("trafficking", "Child <sex> trafficking", "all"),
            ("all:unsplit", "All offenses, not split", "all")]  # fmt: skip
PLACES = [("all", "World", None), ("US", "United States", "all"), ("US-CA", "California", "US"),
          ("US-TX", "Texas", "US"), ("US:rest", "United States, remainder", "US"), ("CZ", "Czechia", "all"),
          ("NO", "Norway", "all"), ("NO-Oslo", "Norway, Oslo", "NO"),
          ("NO:rest", "Norway, remainder", "NO")]  # fmt: skip
PERIODS = [("all", "2019 to 2023", None), *((str(y), str(y), "all") for y in range(2019, 2024))]
FINER = ["possession", "accessing", "traveler"]  # the last is not even on the model's tree
DATA, ASSISTED, PRIOR, NOT = "data-driven", "model-assisted", "prior-driven", "not published"
LABELS = {
    "all": (DATA, ASSISTED, PRIOR, NOT, PRIOR),
    "csam": (PRIOR, ASSISTED, NOT, NOT, NOT),
    "enticement": (PRIOR, NOT, NOT, NOT, NOT),
    "trafficking": (NOT, NOT, NOT, NOT, NOT),
}
CONTRACTION = {DATA: 0.9, ASSISTED: 0.5, PRIOR: 0.2, NOT: 0.01}
QUANTILES = ("median", "mean", "sd", "q05", "q25", "q75", "q95")
DRAWS = 200


def _nodes(tree: list[tuple[str, str, str | None]]) -> list[dict[str, Any]]:
    return [{"name": name, "label": label, "parent": parent} for name, label, parent in tree]


def write_evidence(root: Path, varied: bool = True) -> Path:
    """Write the run under ``root`` and return its folder; with scenarios beside it where ``varied``."""
    rng = np.random.default_rng(7)
    estimates, values = _estimates(rng)
    world = World(seed=77, clock="period", ratio=True)
    with RunWriter(root, "evidence", "77", again=True) as writer:
        writer.write_json("manifest.json", manifest(world))
        writer.write_json("blueprint.json", _blueprint(world))
        writer.write_json("intake.json", intake())
        writer.write_json("checks.json", checks(world))
        writer.write_table("estimates", estimates)
        writer.write_table("information", _information(estimates))
        writer.write_draws(_draws(rng, values))
    write_claims(writer.final)
    if varied:
        write_sensitivity(writer.final, SCENARIOS, _sensitivity(estimates))
    return writer.final


def _blueprint(world: World) -> dict[str, Any]:
    axes = {"offense": _nodes(OFFENSES), "jurisdiction": _nodes(PLACES), "period": _nodes(PERIODS)}
    shares = {year: {o: n / sum(MIX.values()) for o, n in MIX.items()} for year in ("2022", "2023")}
    return blueprint(world, axes) | {
        "name": "evidence",
        "funnel": {"stages": list(STAGES), "units": UNITS, "assume_one_to_one": {}, "max_per_unit": {}},
        "steps": [{"name": step, "kind": "ratio", "assumed": ""} for step in STEPS],
        "finer": FINER,
        "mix": {"stage": "report", "jurisdiction": WORLD, "factor": 2.0, "shared": 0.5, "shares": shares,
                "sources": ["ncmec"]},
    }  # fmt: skip


def _label(offense: str, place: str, step: int) -> str:
    if place not in ("all", "US", "US-CA", "CZ", "NO-Oslo"):
        return PRIOR if offense == "all" and step == 0 else NOT
    return LABELS.get(offense, (NOT,) * 5)[step]


def _estimates(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    rows, values = [], {}
    for step, name in enumerate((*STEPS, WHOLE)):
        for offense, _, _ in OFFENSES:
            for place, _, _ in PLACES:
                for period, _, _ in PERIODS:
                    row, draws = _row(rng, step, name, offense, place, period)
                    rows.append(row)
                    values[row["quantity_id"]] = draws
    return pd.DataFrame(rows)[list(ESTIMATE_COLUMNS)], values


def _row(
    rng: np.random.Generator, step: int, name: str, offense: str, place: str, period: str
) -> tuple[dict[str, Any], Any]:
    quantity = "end_to_end" if name == WHOLE else "rate"
    label = _label(offense, place, step)
    draws = np.exp(rng.normal([-3.5, -1.0, -0.5, -0.3, -6.0][step], 0.3, DRAWS))
    numbers: dict[str, Any] = dict.fromkeys(QUANTILES, np.nan)
    if label != NOT:
        quantiles = np.quantile(draws, [0.5, 0.05, 0.25, 0.75, 0.95])
        numbers = dict(zip(("median", "q05", "q25", "q75", "q95"), quantiles, strict=True))
        numbers |= {"mean": draws.mean(), "sd": draws.std()}
    held = CONTRACTION[label]
    cohort = place == "NO-Oslo"
    none = offense in FINER
    own = 0.0 if label == NOT and not none else held
    return {
        "quantity_id": "|".join([quantity, name, offense, place, period, "superpopulation"]),
        "quantity": quantity, "step": name, "offense": offense, "jurisdiction": place, "period": period,
        "basis": "superpopulation", "clock": "cohort" if cohort else "period", "as_of": "2024-12-31", **numbers,
        "bound_low": 0.0 if label in (PRIOR, NOT) else 0.01, "bound_high": np.inf,
        "bound_basis": "data + stated mix" if offense in MIX else "data",
        "contraction": held, "contraction_own": own, "label": label, "denominator_median": 1000.0,
        "statements": 0 if none else 4,
    }, draws  # fmt: skip


def _information(estimates: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for row in estimates.to_dict("records"):
        held, key = row["contraction"], row["quantity_id"]
        shares = {"prior": 1 - held, "us": held * 0.5, "cz": held * 0.2, "ncmec": held * 0.15, "press": held * 0.1,
                  "digest": held * 0.05}  # fmt: skip
        parts += [(key, "source_id", name, share) for name, share in shares.items()]
        parts += [(key, "kind", "prior", 1 - held), (key, "kind", "all_sources", held)]
    return pd.DataFrame(parts, columns=["quantity_id", "by", "name", "share"])


SCENARIOS = [
    {"name": "doubtful rows in", "reason": "they may be true", "set": {"intake.roles": ["use", "doubtful"]},
     "identity": "a" * 12, "status": "complete", "seconds": 40.0},
    {"name": "spread doubled", "reason": "the prior is a judgement", "set": {"prior.spread": 2.0},
     "identity": "b" * 12, "status": "complete", "seconds": 0.4, "route": "reweighted", "why": "", "khat": 0.21,
     "ess": 1800.0, "claims_changed": []},
    {"name": "mix halved", "reason": "nobody knows the mix", "set": {"kind.missing_denominator.factor": 4.0},
     "identity": "c" * 12, "status": "unfit", "seconds": 42.0, "route": "refitted",
     "why": "the settings of missing_denominator are more than a prior", "khat": None, "ess": None,
     "claims_changed": []},
]  # fmt: skip
SHIFTS = {"doubtful rows in": 0.4, "spread doubled": -1.5, "mix halved": 0.1}


def _sensitivity(estimates: pd.DataFrame) -> pd.DataFrame:
    """Every scenario shifts by a fixed amount, growing with the step; one label changes."""
    frames = []
    for name, shift in SHIFTS.items():
        rows = estimates.copy()
        grown = shift * (1 + 0.1 * rows["step"].map({s: i for i, s in enumerate((*STEPS, WHOLE))}))
        rows["base_sd"] = 0.3
        rows["shift"] = grown.where(rows["label"] != NOT)
        rows["value"] = rows["median"] * np.exp(0.3 * grown)
        rows["base_label"] = rows["label"]
        rows = rows.assign(scenario=name, base=rows["median"])
        changed = (rows["offense"] == "all") & (rows["step"] == STEPS[1]) & (name == "spread doubled")
        rows["label"] = rows["label"].mask(changed, PRIOR)
        frames.append(rows)
    return pd.concat(frames, ignore_index=True)[list(SENSITIVITY_COLUMNS)]


def _draws(rng: np.random.Generator, values: dict[str, Any]) -> xr.DataTree:
    half = DRAWS // 2

    def block(sd: float) -> xr.Dataset:
        spread = np.abs(rng.normal(0, sd, (2, half, len(STEPS)))) + 0.1
        return xr.Dataset({"total_spread": (("chain", "draw", "step"), spread)}, coords={"step": list(STEPS)})

    used = [s for s in intake()["statements"] if s["status"] == "used" and s["stage"] != "report"]
    count = np.array([s["count"] for s in used])
    about = {k: ("statement_id", np.array([s[k] for s in used], dtype=object)) for k in (
        "stage", "offense", "jurisdiction", "period", "source_id")}  # fmt: skip
    about["statement_id"] = ("statement_id", np.array([s["id"] for s in used], dtype=object))
    replicated = xr.Dataset(
        {"count": (("chain", "draw", "statement_id"), rng.poisson(count, (2, 20, len(count))).astype(float))},
        coords=about,
    )
    both = {"low": ("statement_id", count), "high": ("statement_id", count)}
    value = np.stack(list(values.values()), axis=-1).reshape(2, half, -1)
    ids = np.array(list(values), dtype=object)
    return xr.DataTree.from_dict(
        {
            "posterior": block(0.1),
            "prior": block(0.8),
            "quantities": xr.Dataset(
                {"value": (("chain", "draw", "quantity_id"), value)}, coords={"quantity_id": ids}
            ),
            "posterior_predictive": replicated,
            "observed_data": xr.Dataset(both, coords=about),
        }
    )


def nested(folder: Path) -> dict[str, Any]:
    """``front.json`` of a written report."""
    return json.loads((folder / "front.json").read_text(encoding="utf-8"))
