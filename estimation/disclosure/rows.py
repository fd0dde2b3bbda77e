"""The estimates that may leave a run: rows from which a count that is held back could be read lose their numbers."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ...data.funnel import Funnel
from ...data.names import AXES, CHANGE, CONFIDENTIAL
from ..labels import NOT
from .protection import Protection
from .table import Bools, Floats, Ints

VALUES: Final = ("median", "mean", "sd", "q05", "q25", "q75", "q95")
COMPANIONS: Final = ("contraction", "contraction_own")
BOUNDS: Final = ("bound_low", "bound_high")
MOST_BOUNDS: Final = 2000


def released(estimates: pd.DataFrame, protection: Protection, stages: tuple[str, ...]) -> pd.DataFrame:
    """Rows of a run as they may leave it.

    Parameters
    ----------
    estimates : DataFrame
        Columns of ``ESTIMATE_COLUMNS``.
    protection : Protection
    stages : tuple of str
        Of the funnel, in order.

    Returns
    -------
    DataFrame
        The same rows and columns. A row is *confidential*, without values and contractions, where its numerator
        or denominator is held back; where a finite rate, or a superpopulation rate known to within k cases, holds cells
        that are. Bounds of rows that share a cell with what is held back are those that follow from the numbers told;
        where the denominator is not told there are none.

    Notes
    -----
    A rate times its denominator is a count: a finite rate the count itself, a narrow interval nearly so. What follows
    from numbers told gives nothing away, whatever it is.
    """
    rows = estimates.reset_index(drop=True).copy()
    read = _Read(rows, protection, stages)
    wide = (rows["q95"] - rows["q05"]) * rows["denominator_median"] >= protection.spec.k
    finite = rows["basis"] == "finite"
    # A row that nobody can give a number for has none to hide.
    confidential = read.held | (read.touched & ~read.told & (finite | ~wide))
    confidential &= rows["label"] != NOT
    rows.loc[confidential | read.held, [*VALUES, *COMPANIONS]] = np.nan
    rows.loc[confidential, "label"] = CONFIDENTIAL
    rows.loc[~read.source_open, "denominator_median"] = np.nan
    if protection.spec.method == "round":
        return _rounded(rows, read, protection.spec.base)
    changed = read.held | (read.touched & ~read.told)
    rows.loc[changed, list(BOUNDS)] = _public_bounds(rows[changed], read, protection, np.flatnonzero(changed))
    return rows


class _Read:
    """What is told, held back and touched at the stages and nodes of each row; of both periods, for a change."""

    def __init__(self, rows: pd.DataFrame, protection: Protection, stages: tuple[str, ...]) -> None:
        names = {
            Funnel(stages).step(i, j).name: (stages[i], stages[j])
            for j in range(len(stages))
            for i in range(j)
        }
        pairs = [names[step] for step in rows["step"]]
        self.source = np.array([a for a, _ in pairs], dtype=object)
        self.target = np.array([b for _, b in pairs], dtype=object)
        self.nodes = self._nodes(rows, protection)
        on_axes = (self.nodes >= 0).all(axis=(1, 2))
        ends = (self.source, self.target)

        def any_of(by_stage: dict[str, Bools]) -> Bools:
            return np.any([self._at(by_stage, stage).any(axis=0) for stage in ends], axis=0) & on_axes

        self.held = any_of(protection.held)
        self.touched = any_of(protection.touched)
        self.told = np.all([self._at(protection.told, stage).all(axis=0) for stage in ends], axis=0) & on_axes
        source_held = self._at(protection.held, self.source).any(axis=0)
        source_told = self._at(protection.told, self.source).all(axis=0)
        source_touched = self._at(protection.touched, self.source).any(axis=0)
        self.source_told = source_told & ~source_held & on_axes
        self.source_open = ~on_axes | (~source_held & (source_told | ~source_touched))

    def _nodes(self, rows: pd.DataFrame, protection: Protection) -> Ints:
        """Positions of the nodes, (2, rows, 3): of the earlier and of the later period."""
        out = np.empty((2, len(rows), 3), dtype=np.int64)
        for k, (axis, place) in enumerate(zip(AXES, protection.counts.places, strict=True)):
            names = rows[axis].astype(str)
            for end in (0, 1):
                part = names.str.split(CHANGE).str[-end] if axis == "period" else names
                out[end, :, k] = [place.get(name, -1) for name in part]
        return np.moveaxis(out, 0, 1)

    def _at(self, by_stage: dict[str, Bools], stage: np.ndarray) -> Bools:
        """What is said of the nodes at the stage of each row, (2, rows)."""
        out = np.zeros((2, len(stage)), dtype=bool)
        for name, there in by_stage.items():
            mine = stage == name
            at = self.nodes[mine]
            out[:, mine] = there[at[..., 0], at[..., 1], at[..., 2]].T
        return out


def _public_bounds(rows: pd.DataFrame, read: _Read, protection: Protection, at: Ints) -> Floats:
    """Bounds that follow from what is told: the attacker's interval of the outcomes over a denominator that is told."""
    counts = protection.counts
    out = np.full((len(rows), 2), np.nan)
    layer_of = {
        stage: [
            i
            for i, layer in enumerate(counts.layers)
            if layer.stage == stage and layer.origin == "referred_only"
        ]
        for stage in {layer.stage for layer in counts.layers}
    }
    intervals: dict[int, tuple[float, float]] = {}
    most = 10.0 * (1.0 + float(counts.table.values.max(initial=0.0)))
    for place, (number, row) in enumerate(zip(at, rows.to_dict("records"), strict=True)):
        single = row["quantity"] not in ("change", "contrast", "ever")
        sources, targets = layer_of.get(read.source[number], []), layer_of.get(read.target[number], [])
        if not single or not read.source_told[number] or len(sources) != 1 or len(targets) != 1:
            continue
        node = read.nodes[number, 0]
        size = counts.table.values[counts.position(sources[0], node)]
        outcome = counts.position(targets[0], node)
        if size <= 0 or (outcome not in intervals and len(intervals) >= MOST_BOUNDS):
            continue
        if outcome not in intervals:
            told = counts.table.held[outcome] and not protection.suppressed[outcome]
            value = counts.table.values[outcome]
            intervals[outcome] = (value, value) if told else protection.attacker.interval(outcome, most)
        low, high = intervals[outcome]
        # A share is at most one whatever the bounds were; a ratio has no limit of its own.
        limit = 1.0 if row["bound_high"] <= 1 else np.inf
        out[place] = low / size, min(high / size if high < most else np.inf, limit)
    return out


def _rounded(rows: pd.DataFrame, read: _Read, base: int) -> pd.DataFrame:
    """Denominators to the nearest multiple of the base; rates of counted cases from rounded counts alone."""
    sizes = rows["denominator_median"]
    rows["denominator_median"] = base * np.round(sizes / base)
    outcomes = base * np.round(rows["median"] * sizes / base)
    known = (rows["basis"] == "finite") & rows["median"].notna()
    exact = known & (rows["q95"] - rows["q05"] < 1e-12)
    rate = (outcomes / rows["denominator_median"]).where(rows["denominator_median"] > 0)
    for name in ("median", "mean", "q05", "q25", "q75", "q95"):
        rows[name] = rows[name].where(~exact, rate)
    rows.loc[exact & rate.isna(), "label"] = CONFIDENTIAL
    # Bounds are sums of exact counts over exact counts: only those that say nothing may stay.
    idle = (rows["bound_low"] == 0) & (rows["bound_high"].isin([1.0, np.inf]))
    rows.loc[~idle, list(BOUNDS)] = np.nan
    return rows
