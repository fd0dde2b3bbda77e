"""A synthetic run folder in the stored format: numbers that hang together, made without any model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from attrition.data.names import ESTIMATE_COLUMNS
from attrition.estimation.store.write import RunWriter

from .documents import blueprint, checks, manifest, write_claims
from .shape import STAGES, STEPS

Floats = NDArray[np.float64]
EXACT, TOTAL, SUPPRESSED, SILENT = range(4)
PRIOR_SD = 1.5


@dataclass(frozen=True)
class World:
    """How large, and with which of the features a report must show.

    Jurisdictions cycle through: exact, exact, totals over offenses, suppressed arrests without
    investigations, nothing after the first stage.
    """

    offenses: int = 3
    jurisdictions: int = 5
    periods: int = 4
    draws: int = 80
    seed: int = 1
    clock: str = "cohort"
    ratio: bool = False
    status: str = "complete"
    failed_check: bool = False
    place: str = "all"
    period: str = "all"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Leaves of the three axes."""
        return self.offenses, self.jurisdictions, self.periods

    @property
    def pattern(self) -> NDArray[np.int64]:
        """How each jurisdiction reports."""
        return np.resize([EXACT, EXACT, TOTAL, SUPPRESSED, SILENT], self.jurisdictions)

    def axes(self) -> dict[str, list[dict[str, Any]]]:
        """Trees: two offenses under a group, jurisdictions flat, quarters under years; a root for one."""

        def node(name: str, label: str, parent: str | None) -> dict[str, Any]:
            return {"name": name, "label": label, "parent": parent}

        offense = [node("all", "All offenses", None)]
        if self.offenses > 1:
            offense += [node("group", "Grouped <offenses>", "all")]
            offense += [
                node(f"offense{i}", f"Offense {i}", "group" if i < 2 else "all") for i in range(self.offenses)
            ]
        place = [node("all", "All jurisdictions", None)]
        if self.jurisdictions > 1:
            place += [node(f"J{i:02d}", f"Place {i:02d}", "all") for i in range(self.jurisdictions)]
        period = [node("all", "All periods", None)]
        if self.periods > 1:
            years = range(2024 - -(-self.periods // 4) + 1, 2025)
            period += [node(str(y), str(y), "all") for y in years]
            quarters = [(y, q) for y in years for q in (1, 2, 3, 4)][-self.periods :]
            period += [node(f"{y}Q{q}", f"{y} Q{q}", str(y)) for y, q in quarters]
        return {"offense": offense, "jurisdiction": place, "period": period}


def _members(nodes: list[dict[str, Any]]) -> tuple[list[str], list[str], Floats]:
    names = [n["name"] for n in nodes]
    parents = {n["name"]: n["parent"] for n in nodes}
    leaves = [name for name in names if name not in parents.values()]
    inside = np.zeros((len(names), len(leaves)))
    for column, leaf in enumerate(leaves):
        at: str | None = leaf
        while at is not None:
            inside[names.index(at), column] = 1
            at = parents[at]
    return names, leaves, inside


def _logit(p: Floats) -> Floats:
    return np.log(p / (1 - p))


def _expit(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def write_world(root: Path, world: World | None = None) -> Path:
    """Write the run of a world under ``root`` and return its folder."""
    world = world or World()
    rng = np.random.default_rng(world.seed)
    axes = world.axes()
    trees = {axis: _members(nodes) for axis, nodes in axes.items()}
    shape, pattern = world.shape, world.pattern
    n0 = rng.poisson(400, shape).astype(float) + 20
    truth = np.stack(
        [
            mu
            + rng.normal(0, 0.5, (shape[0], 1, 1))
            + rng.normal(0, 0.4, (1, shape[1], 1))
            + np.linspace(0, 0.3, shape[2])
            for mu in (-0.8, -1.2)
        ]
    )
    n1 = rng.binomial(n0.astype(int), _expit(truth[0])).astype(float)
    n2 = rng.binomial(n1.astype(int), _expit(truth[1])).astype(float)
    counts = np.stack([n0, n1, n2])
    weight = np.array([1.0, 0.4, 0.1, 0.0])[pattern][:, None]
    sd = 1 / np.sqrt(1 / PRIOR_SD**2 + weight * n0 / 8)
    shared = rng.normal(size=(world.draws, 2, 1, shape[1], 1))
    own = rng.normal(size=(world.draws, 2, *shape))
    silent = (pattern == SILENT)[:, None]
    common = rng.normal(0, 0.03, (world.draws, 2, 1, 1, 1))
    p = _expit(truth + common + sd * np.where(silent, shared, own))
    rate = np.concatenate([p, p.prod(axis=1, keepdims=True)], axis=1)
    estimates, values = _estimates(world, trees, counts, rate)
    with RunWriter(root, "made-up", f"{world.seed:012x}", again=True) as writer:
        writer.write_json("manifest.json", manifest(world))
        writer.write_json("blueprint.json", blueprint(world, axes))
        writer.write_json("intake.json", _intake(world, trees, counts))
        writer.write_json("checks.json", checks(world))
        writer.write_table("estimates", estimates)
        writer.write_table("information", _information(estimates))
        writer.write_draws(_draws(world, rng, trees, counts, rate, estimates, values))
    write_claims(writer.final)
    return writer.final


def _estimates(
    world: World, trees: dict[str, Any], counts: Floats, rate: Floats
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    (on, _, a), (jn, _, b), (tn, _, c) = (trees[k] for k in ("offense", "jurisdiction", "period"))
    weights = np.stack([counts[0], counts[1] + 1, counts[0]])
    total = np.einsum("sojt,ao,bj,ct->sabc", weights, a, b, c, optimize=True)
    agg = np.einsum("dsojt,sojt,ao,bj,ct->dsabc", rate, weights, a, b, c, optimize=True) / total
    seen = np.isin(world.pattern, (EXACT, TOTAL, SUPPRESSED))[None, :, None] & np.ones(world.shape, bool)
    exact = (world.pattern == EXACT)[None, :, None] & np.ones(world.shape, bool)
    truth = np.stack(
        [counts[1] / counts[0], counts[2] / np.maximum(counts[1], 1), counts[2] / counts[0]]
    ).clip(0, 1)
    low, high = np.where(exact, truth, 0.0), np.where(exact, truth, 1.0)
    bounds = [
        np.einsum("sojt,sojt,ao,bj,ct->sabc", v, weights, a, b, c, optimize=True) / total for v in (low, high)
    ]
    touched = np.einsum("ojt,ao,bj,ct->abc", seen * 2.0, a, b, c, optimize=True)
    counted = np.einsum("ojt,ao,bj,ct->abc", exact * 1.0, a, b, c) == np.einsum("ao,bj,ct->abc", a, b, c)
    spread = _logit(agg.clip(1e-6, 1 - 1e-6)).std(axis=0)
    contraction = (1 - spread / PRIOR_SD).clip(0, 1)
    frames, values = [], {}
    grid = pd.MultiIndex.from_product(
        [STEPS, on, jn, tn], names=["step", "offense", "jurisdiction", "period"]
    )
    for basis, shrink in (("superpopulation", 1.0), ("finite", 0.5)):
        x = agg.mean(axis=0) + shrink * (agg - agg.mean(axis=0))
        if basis == "finite":
            x = np.where(counted, bounds[0], x)
        frame = grid.to_frame(index=False)
        frame["quantity"] = np.where(frame["step"] == STEPS[2], "end_to_end", "rate")
        frame["basis"] = basis
        frame["clock"] = world.clock
        frame["as_of"] = "2025-03-31"
        frame["mean"], frame["sd"] = x.mean(axis=0).ravel(), x.std(axis=0).ravel()
        for name, q in (("median", 0.5), ("q05", 0.05), ("q25", 0.25), ("q75", 0.75), ("q95", 0.95)):
            frame[name] = np.quantile(x, q, axis=0).ravel()
        frame["bound_low"], frame["bound_high"] = bounds[0].ravel(), bounds[1].ravel()
        frame["bound_basis"] = "data"
        frame["statements"] = np.broadcast_to(touched, agg.shape[1:]).ravel().astype(int)
        frame["contraction"] = contraction.ravel()
        frame["contraction_own"] = np.where(frame["statements"] > 0, contraction.ravel() * 0.95, 0.0)
        frame["denominator_median"] = total.ravel()
        smaller = np.minimum(frame["contraction"], frame["contraction_own"])
        labels = np.array(["not published", "prior-driven", "model-assisted", "data-driven"])
        frame["label"] = labels[np.digitize(smaller, [0.05, 0.3, 0.7])]
        if basis == "finite":
            frame.loc[np.broadcast_to(counted, agg.shape[1:]).ravel(), "label"] = "counted"
        hide = frame["label"] == "not published"
        frame.loc[hide, ["median", "mean", "sd", "q05", "q25", "q75", "q95"]] = np.nan
        ids = frame[["quantity", "step", "offense", "jurisdiction", "period", "basis"]].agg("|".join, axis=1)
        frame.insert(0, "quantity_id", ids)
        inner = (frame["offense"].isin(on[:2]) | (frame["jurisdiction"] == "all")).to_numpy()
        flat = x.reshape(world.draws, -1)
        values.update(zip(ids[inner], flat[:, inner].T, strict=True))
        frames.append(frame)
        if basis == "superpopulation" and world.periods > 1:
            change, more = _changes(frame, x, tn)
            frames.append(change)
            values.update(more)
    return pd.concat(frames, ignore_index=True)[list(ESTIMATE_COLUMNS)], values


def _changes(frame: pd.DataFrame, x: Floats, periods: list[str]) -> tuple[pd.DataFrame, dict[str, Floats]]:
    last, before = periods[-1], periods[-2]
    delta = (x[..., -1] - x[..., -2]).reshape(len(x), -1)
    rows = frame[frame["period"] == last].reset_index(drop=True).copy()
    rows["quantity"] = "change"
    rows["period"] = f"{before}→{last}"
    rows["quantity_id"] = rows["quantity_id"].str.replace("|", "|change|", n=1) + "|change"
    rows["bound_low"], rows["bound_high"] = -1.0, 1.0
    hide = rows["label"] == "not published"
    for name, q in (("median", 0.5), ("q05", 0.05), ("q25", 0.25), ("q75", 0.75), ("q95", 0.95)):
        rows[name] = np.where(hide, np.nan, np.quantile(delta, q, axis=0))
    rows["mean"], rows["sd"] = (
        np.where(hide, np.nan, delta.mean(axis=0)),
        np.where(hide, np.nan, delta.std(axis=0)),
    )
    return rows, dict(zip(rows["quantity_id"], delta.T, strict=True))


def _information(estimates: pd.DataFrame) -> pd.DataFrame:
    """Shares of superpopulation rates; other rows have none of their own."""
    rates = estimates["quantity"].isin(["rate", "end_to_end"]) & (estimates["basis"] == "superpopulation")
    estimates = estimates[rates]
    share = 1 - estimates["contraction"].to_numpy()
    parts = []
    for by, names in (("kind", ("exact", "total")), ("source_id", ("annual", "tables"))):
        for name, value in (("prior", share), (names[0], (1 - share) * 0.7), (names[1], (1 - share) * 0.3)):
            parts.append(
                pd.DataFrame(
                    {"quantity_id": estimates["quantity_id"], "by": by, "name": name, "share": value}
                )
            )
    return pd.concat(parts, ignore_index=True)


def _statements(world: World, trees: dict[str, Any], counts: Floats) -> pd.DataFrame:
    """One line a number read: the first stage everywhere, the later ones as each jurisdiction reports."""
    (_, ol, _), (_, jl, _), (_, tl, _) = (trees[k] for k in ("offense", "jurisdiction", "period"))
    cells = pd.MultiIndex.from_product([ol, jl, tl], names=["offense", "jurisdiction", "period"]).to_frame(
        index=False
    )
    how = world.pattern[pd.Categorical(cells["jurisdiction"], jl).codes]
    frames = []
    for s, stage in enumerate(STAGES):
        leaf = cells.assign(stage=stage, relation="exact", count=counts[s].ravel(), low=np.nan, high=np.nan)
        leaf["kinds"] = [["exact"]] * len(leaf)
        if s == 0:
            frames.append(leaf)
            continue
        frames.append(leaf[how == EXACT])
        totals = leaf[how == TOTAL].groupby(["jurisdiction", "period"], as_index=False)["count"].sum()
        totals = totals.assign(stage=stage, offense="all", relation="exact", low=np.nan, high=np.nan)
        totals["kinds"] = [["exact", "total"]] * len(totals)
        frames.append(totals)
        if s == 2:
            some = leaf[how == SUPPRESSED].assign(relation="suppressed", low=1.0, high=60.0, count=np.nan)
            some["kinds"] = [["bounded", "skipped"]] * len(some)
            frames.append(some)
    out = pd.concat(frames, ignore_index=True)
    out["id"] = [f"data.csv:{i + 2}:{s}" for i, s in enumerate(out["stage"])]
    out["source_id"] = np.where(out["stage"] == "referral", "tables", "annual")
    return out


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict("records")


def _intake(world: World, trees: dict[str, Any], counts: Floats) -> dict[str, Any]:
    used = _statements(world, trees, counts)
    fixed = {
        "unit": "reports", "origin": "referred_only", "clock": world.clock, "as_of": "2025-03-31",
        "role": "use", "file": "data.csv", "row": 2, "note": "", "status": "used", "reason": "",
        "others": None,
    }  # fmt: skip
    lines = _records(used.assign(**fixed))
    for line in lines:
        line["others"] = []
    extra = lines[0] | {"id": "data.csv:9999:arrest", "status": "excluded", "reason": "superseded by tables"}
    lines.append(extra)
    return {
        "inputs": [
            {"file": "data.csv", "form": "wide", "sha256": "0" * 64, "rows": 60, "statements": len(lines),
            "unread": ["a", "b"]}
        ],
        "counts": {"read": len(lines), "used": len(lines) - 1, "unused": 0, "excluded": 1, "dropped": 0},
        "statements": lines,
        "sources": [
            {"source_id": "annual", "title": "Annual <report> & tables", "publisher": "Office of Statistics",
             "published": "2025-03", "url": "https://example.org/annual?a=1&b=2"},
            {"source_id": "tables", "title": "Register", "publisher": "Police", "published": "2025",
             "url": "javascript:alert(1)"},
        ],
        "suspects": ["J04: every count after the first stage is zero or absent"],
        "warnings": [],
        "not_reported": 12,
    }  # fmt: skip


def _draws(
    world: World,
    rng: np.random.Generator,
    trees: dict[str, Any],
    counts: Floats,
    rate: Floats,
    estimates: pd.DataFrame,
    values: dict[str, Floats],
) -> xr.DataTree:
    half = world.draws // 2
    steps = list(STEPS[:2])

    def block(sd: float) -> dict[str, Any]:
        def draw(*more: int) -> Floats:
            return rng.normal(0, sd, (2, half, 2, *more))

        return {
            "intercept": (("chain", "draw", "step"), draw() - 1.0),
            "total_spread": (("chain", "draw", "step"), np.abs(draw()) + 0.2),
            "sd_offense": (("chain", "draw", "step"), np.abs(draw()) + 0.1),
            "sd_jurisdiction": (("chain", "draw", "step"), np.abs(draw()) + 0.1),
            "offense": (("chain", "draw", "step", "offense_name"), draw(world.offenses)),
        }

    def groups(sd: float) -> xr.Dataset:
        return xr.Dataset(block(sd), coords={"step": steps, "offense_name": trees["offense"][1]})

    ids = [i for i in estimates["quantity_id"] if i in values]
    value = np.stack([values[i] for i in ids], axis=-1)[: 2 * half].reshape(2, half, -1)
    used = _statements(world, trees, counts)
    low = used["count"].fillna(used["low"]).to_numpy(float)
    high = used["count"].fillna(used["high"]).to_numpy(float)
    middle = (low + high) / 2
    replicated = rng.poisson(middle, (2, min(half, 20), len(middle))).astype(np.float32)
    about = {k: ("statement_id", used[k].to_numpy(object)) for k in (
        "stage", "offense", "jurisdiction", "period", "source_id")}  # fmt: skip
    about["kind"] = ("statement_id", np.array([k[-1] for k in used["kinds"]], dtype=object))
    about["statement_id"] = ("statement_id", used["id"].to_numpy(object))
    predictive = xr.Dataset({"count": (("chain", "draw", "statement_id"), replicated)}, coords=about)
    return xr.DataTree.from_dict(
        {
            "posterior": groups(0.1),
            "prior": groups(0.8),
            "quantities": xr.Dataset(
                {"value": (("chain", "draw", "quantity_id"), value)},
                coords={"quantity_id": np.array(ids, dtype=object)},
            ),
            "posterior_predictive": predictive,
            "prior_predictive": predictive,
            "observed_data": xr.Dataset(
                {"low": ("statement_id", low), "high": ("statement_id", high)}, coords=about
            ),
        }
    )
