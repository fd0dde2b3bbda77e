"""Does the fitted model give back the data it was fitted to?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..document import Block, Section, attempt
from ..figures.predictive import draw_pit, draw_totals
from ..numbers import count, number
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View

order = 80
title = "Predictive checks"
GRID: Final = np.linspace(0, 1, 41)
MOST: Final = 50
SEED: Final = 20250101
FEWEST: Final = 5
CURVE: Final = {
    "u": "Predictive probability",
    "observed": "Observed share",
    "difference": "Difference",
    "low": "Band from",
    "high": "Band to",
}


def build(view: View) -> Section:
    """Calibration of the predictions and totals by jurisdiction."""
    blocks: list[Block] = [*said(view, SENTENCES)]
    blocks += attempt("the figure of calibration", lambda: _pit_figure(view))
    blocks += attempt("the figure of totals by jurisdiction", lambda: _totals_figure(view))
    return Section("section-predictive", title, tuple(blocks))


def exact(view: View) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Exactly observed statements and their replications: (statements, columns), (draws, statements)."""
    seen = view.run.draws["observed_data"].to_dataset()
    replicated = view.run.draws["posterior_predictive"].to_dataset()["count"]
    frame = pd.DataFrame(
        {c: seen[c].values for c in ("statement_id", "stage", "jurisdiction", "low", "high")}
    )
    order = pd.Index(replicated["statement_id"].values).get_indexer(pd.Index(frame["statement_id"]))
    keep = ((frame["low"] == frame["high"]) & (order >= 0)).to_numpy()
    values = replicated.transpose("chain", "draw", "statement_id").values
    values = values.reshape(-1, values.shape[-1])[:, order[keep]]
    frame = frame[keep].reset_index(drop=True)
    finite = np.isfinite(values).all(axis=0)
    return frame[finite].reset_index(drop=True), values[:, finite]


def pit(view: View) -> pd.DataFrame:
    """Randomised probability integral transform of each exact statement: stage, pit."""
    frame, values = exact(view)
    low = frame["low"].to_numpy(float)
    below, equal = (values < low).mean(axis=0), (values == low).mean(axis=0)
    u = np.random.default_rng(SEED).uniform(size=len(frame))
    inside = (np.minimum(below, 1 - below - equal) >= 0.05).astype(float)
    return frame.assign(pit=below + u * equal, inside=inside)


def _pit_figure(view: View) -> Any:
    frame = pit(view)
    sizes = frame.groupby("stage", sort=False).size()
    stages = [s for s in view.stages if sizes.get(s, 0) >= FEWEST]
    if not stages:
        return None
    curves, bands = [], []
    for stage in stages:
        values = np.sort(frame.loc[frame["stage"] == stage, "pit"].to_numpy())
        observed = np.searchsorted(values, GRID, side="right") / len(values)
        half = 1.645 * np.sqrt(GRID * (1 - GRID) / len(values))
        curves.append(
            pd.DataFrame({"stage": stage, "u": GRID, "observed": observed, "difference": observed - GRID})
        )
        bands.append(pd.DataFrame({"stage": stage, "u": GRID, "low": -half, "high": half}))
    curve, band = pd.concat(curves, ignore_index=True), pd.concat(bands, ignore_index=True)
    data = curve.merge(band, on=["stage", "u"])
    three = {name: right(heading, lambda v: number(v, 3)) for name, heading in CURVE.items()}
    table = printed(
        "pit", "Observed and expected shares", data, {"stage": left("Stage", text), **three}, most=41
    )
    return draw_pit(curve, band, table)


def _totals_figure(view: View) -> Any:
    frame, values = exact(view)
    if not len(frame):
        return None
    codes, names = pd.MultiIndex.from_frame(frame[["stage", "jurisdiction"]]).factorize()
    groups = pd.DataFrame(list(names), columns=["stage", "jurisdiction"])
    observed = np.bincount(codes, weights=frame["low"].to_numpy(float))
    turn = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[turn], prepend=-1))
    totals = np.add.reduceat(values[:, turn].astype(float), starts, axis=1)
    rows = groups.assign(observed=observed)
    rows = rows.assign(**{f"predicted_{n}": np.quantile(totals, q, axis=0) for n, q in QUANTILES.items()})
    rows = rows[rows["observed"] > 0]
    largest = rows.groupby("jurisdiction")["observed"].sum().nlargest(MOST).index
    rows = rows[rows["jurisdiction"].isin(largest) & rows["stage"].isin(view.stages)]
    rows = rows.assign(**{n: rows[f"predicted_{n}"] / rows["observed"] for n in QUANTILES})
    rank = {axis: {n: i for i, n in enumerate(names)} for axis, names in (
        ("stage", view.stages), ("jurisdiction", view.axes["jurisdiction"].by_name))}  # fmt: skip
    rows = rows.sort_values(["stage", "jurisdiction"], key=lambda c: c.map(rank[str(c.name)]))
    rows = rows.loc[rows["stage"] != view.stages[0]]
    if not len(rows):
        return None
    show = {
        "stage": left("Stage", text),
        "jurisdiction": left("Jurisdiction", lambda n: view.label("jurisdiction", n)),
        "observed": right("Observed", count),
        "predicted_q50": right("Predicted", count),
        "predicted_q05": right("5 %", count),
        "predicted_q95": right("95 %", count),
    }
    return draw_totals(view, rows, printed("totals", "Totals: predicted and observed", rows, show))


QUANTILES: Final = {"q05": 0.05, "q50": 0.5, "q95": 0.95}


def _coverage(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    frame = pit(view)
    if len(frame) >= threshold:
        yield {"n": count(len(frame)), "share": number(frame["inside"].mean() * 100, 0)}


SENTENCES = (
    Sentence(
        "predictive coverage",
        "Of {n} exact counts, {share} % lie inside their own 90 % predictive interval.",
        _coverage,
        FEWEST,
        "There are too few exact counts to check predictions against them.",
    ),
)
