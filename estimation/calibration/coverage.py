"""How often intervals hold the truth, by the size of a cell and by how far its data moved it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...data.names import AXES, ROOT
from ...models.blueprint import Blueprint
from ...models.field import FieldDraws
from ..contraction import Reference, contraction
from ..evidence import Evidence
from ..rows import CellDraws, Rows, link, make_rows, published_steps
from ..rows import evaluate as evaluate_rows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Hits = dict[str, list[int]]  # of each stratum: 50 % intervals that hold the truth, 90 %, and all of them

MASSES = (0.5, 0.9)
_SIZES = (("n = 0", 0, 0), ("n 1 to 4", 1, 4), ("n 5 to 29", 5, 29), ("n 30 or more", 30, np.inf))
_BANDS = (
    ("contraction below .05", 0.0, 0.05),
    ("contraction .05 to .3", 0.05, 0.3),
    ("contraction .3 to .7", 0.3, 0.7),
    ("contraction .7 or more", 0.7, np.inf),
)
_LAGS = (("lag 0", 0, 0), ("lag 1", 1, 1), ("lag 2 or more", 2, np.inf))
STRATA = (
    "cells", *(f"cells, {name}" for name, _, _ in (*_SIZES, *_LAGS)), "aggregates", "root",
    *(name for name, _, _ in _BANDS),
)  # fmt: skip


def covered(
    rng: np.random.Generator,
    blueprint: Blueprint,
    draws: FieldDraws,
    cells: CellDraws,
    truth: CellDraws,
) -> Hits:
    """Superpopulation rates of every row and step, whose central intervals hold the truth, by stratum.

    Sizes are medians of a cell's denominator; the contraction is the smaller of the two that label a row. Both are
    functions of the data, so that coverage within a stratum is as nominal as over all. Where outcomes are still
    arriving the lag is the number of periods from a cell's own to the last.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws, R of them.
    cells, truth : CellDraws
        Of the R draws, and of the truth alone.
    """
    rows = make_rows(blueprint.panel, blueprint.layout)
    root = (rows.names == ROOT).all(axis=1)
    reference, evidence = Reference(rng, blueprint, draws, cells.mean_counts()), Evidence(blueprint)
    lag = _lags(blueprint, rows)
    hits: Hits = {name: [0, 0, 0] for name in STRATA}
    steps = [step for _, step in published_steps(blueprint.panel.funnel)]
    for step, new in zip(steps, reference.new_unit(rows, *steps), strict=True):
        values = evaluate_rows(rows.member, cells.step(step))
        known = evaluate_rows(rows.member, truth.step(step)).superpopulation[:, 0]
        linked = link(values.superpopulation, step.kind == "ratio").var(axis=1)
        own = contraction(linked, new)
        own[~np.isnan(own) & ~evidence.behind(rows, step).touched] = 0.0
        moved = np.fmin(contraction(linked, reference.prior(rows.member, step).var(axis=1)), own)
        inside = [held(values.superpopulation, known, mass) for mass in MASSES]
        size = np.median(values.denominator, axis=1)
        strata = {"cells": rows.leaf, "aggregates": ~rows.leaf, "root": root}
        strata |= {
            f"cells, {name}": rows.leaf & (np.round(size) >= low) & (np.round(size) <= high)
            for name, low, high in _SIZES
        }
        strata |= {f"cells, {name}": rows.leaf & (lag >= low) & (lag <= high) for name, low, high in _LAGS}
        strata |= {name: (moved >= low) & (moved < high) for name, low, high in _BANDS}
        for name, which in strata.items():
            found = [int(one[which].sum()) for one in inside] + [int(which.sum())]
            hits[name] = [before + more for before, more in zip(hits[name], found, strict=True)]
    return hits


def _lags(blueprint: Blueprint, rows: Rows) -> Floats:
    """Periods from a row's own to the last one, (N,); NaN for spans, and where every count is complete."""
    periods = blueprint.panel.axes.period.leaves
    if not blueprint.analysis.lagged:
        return np.full(len(rows.names), np.nan)
    back = {name: float(number) for number, name in enumerate(reversed(periods))}
    return np.array([back.get(name, np.nan) for name in rows.names[:, AXES.index("period")]])


def held(values: Floats, truth: Floats, mass: float) -> Bools:
    """Whether the central interval of draws (N, R) holds the truth (N,)."""
    low, high = np.quantile(values, [(1 - mass) / 2, (1 + mass) / 2], axis=1)
    return (low <= truth) & (truth <= high)


def pooled(worlds: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, dict[str, float]]:
    """Coverage by stratum over worlds: ``cover50``, ``error50``, ``cover90``, ``error90``, ``rows``.

    Strata without a row are left out. Rows of one world share its truth: errors have whole worlds as clusters.
    """
    worlds = list(worlds)
    out: dict[str, dict[str, float]] = {}
    for name in STRATA:
        found = np.array([world[name] for world in worlds if world.get(name, [0, 0, 0])[2]], dtype=float)
        if not len(found):
            continue
        out[name] = {"rows": float(found[:, 2].sum())}
        for place, mass in enumerate(MASSES):
            share, error = clustered(found[:, place], found[:, 2])
            out[name] |= {f"cover{100 * mass:.0f}": share, f"error{100 * mass:.0f}": error}
    return out


def clustered(inside: Sequence[float] | Floats, rows: Sequence[float] | Floats) -> tuple[float, float]:
    """Pooled share and its standard error with whole worlds as clusters (a ratio estimator)."""
    hit, size = np.asarray(inside, dtype=float), np.asarray(rows, dtype=float)
    share = hit.sum() / size.sum()
    worlds = len(hit)
    if worlds < 2:
        return float(share), float("nan")
    spread = np.sqrt(((hit - share * size) ** 2).sum() * worlds / (worlds - 1))
    return float(share), float(spread / size.sum())
