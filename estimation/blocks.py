"""Blocks of rows of the table of estimates: summaries of draws beside their companions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES, ESTIMATE_COLUMNS
from ..models.blueprint import Blueprint
from .aside import Aside
from .evidence import Behind
from .labels import NOT
from .rows import Bools, Floats, published_steps, quantity_id
from .rowwise import means_and_variances, row_blocks

DATA, DATA_AND_MIX = "data", "data + stated mix"
_QUANTILES = (("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95))


class Collector:
    """Gathers blocks of rows and the draws of aggregates.

    Parameters
    ----------
    size : int
        Number of draws, R.
    folder : Path, optional
        Where the draws are put aside.
    """

    def __init__(self, size: int, folder: Path | None = None) -> None:
        self.ids: list[str] = []
        self.aggregates = Aside(size, folder)
        self._columns: dict[str, list[pd.Series]] = {}

    def keep(self, frame: pd.DataFrame, draws: Floats, aggregate: Bools) -> None:
        """Store a block and the draws of its aggregates, (N, R), or (N, 1) where they agree."""
        self.add(frame)
        self.ids += list(frame["quantity_id"][aggregate])
        self.aggregates.add(draws[aggregate])

    def add(self, frame: pd.DataFrame) -> None:
        """Store a block of rows that have no draws."""
        for name, column in frame.items():
            # Columns of numbers share an array, which would last as long as any of them.
            own = column.copy() if isinstance(column.dtype, np.dtype) else column
            self._columns.setdefault(str(name), []).append(own)

    def table(self) -> pd.DataFrame:
        """All blocks, which are given up on the way: column by column, so that nothing is ever held twice."""
        names = [name for name in ESTIMATE_COLUMNS if name in self._columns]
        whole = {name: pd.concat(self._columns.pop(name), ignore_index=True) for name in names}
        return pd.DataFrame(whole, copy=False)


def _summary(values: Floats, hidden: Bools) -> dict[str, Floats]:
    """Median, mean, sd and quantiles of rows (N, R); NaN where hidden or undefined in some draw."""
    out = np.empty((len(_QUANTILES) + 2, len(values)))
    for few in row_blocks(*values.shape):
        # Five quantiles of what is sorted cost less than five partitions.
        ordered = np.sort(values[few], axis=1)
        out[:-2, few] = [_quantile(ordered, q) for _, q in _QUANTILES]
        out[-2:, few] = means_and_variances(ordered)
    size = values.shape[1]
    out[-1] = np.sqrt(out[-1] * (size / (size - 1))) if size > 1 else 0.0
    # What is undefined in some draw has no variance.
    out[:, hidden | ~np.isfinite(out).all(axis=0)] = np.nan
    return dict(zip([*(name for name, _ in _QUANTILES), "mean", "sd"], out, strict=True))


def _quantile(ordered: Floats, share: float) -> Floats:
    """A quantile of rows that are sorted, between two of their numbers in proportion (numpy's default)."""
    place = share * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low])


def frame(
    quantity: str,
    step: Step,
    names: NDArray[np.object_],
    basis: str,
    values: Floats,
    limits: Floats,
    against: Floats,
    own: Floats,
    labels: NDArray[np.object_],
    behind: Behind,
    denominator: Floats,
) -> pd.DataFrame:
    """Rows of one quantity, step and basis; the numbers of those that are not published are withheld."""
    return pd.DataFrame(
        {
            "quantity_id": [quantity_id(quantity, step.name, list(row), basis) for row in names],
            "quantity": quantity,
            "step": step.name,
            "offense": names[:, 0],
            "jurisdiction": names[:, 1],
            "period": names[:, 2],
            "basis": basis,
            "clock": np.where(behind.period_clock, "period", "cohort"),
            "as_of": behind.as_of,
            **_summary(values, labels == NOT),
            "bound_low": limits[:, 0],
            "bound_high": limits[:, 1],
            "bound_basis": np.where(behind.mixed, DATA_AND_MIX, DATA),
            "contraction": against,
            "contraction_own": own,
            "label": labels,
            "denominator_median": denominator,
            "statements": behind.statements,
        }
    )


def finer_rows(blueprint: Blueprint, answer: tuple[str, str]) -> list[pd.DataFrame]:
    """Rows of the front table for offenses finer than any published denominator: no number, and why is elsewhere."""
    arrangement = blueprint.panel.arrangement
    finer = arrangement.finer if arrangement is not None else ()
    frames = []
    for quantity, step in published_steps(blueprint.panel.funnel):
        for node in finer:
            names = [node.name, *answer]
            row = dict.fromkeys(ESTIMATE_COLUMNS, np.nan) | dict(zip(AXES, names, strict=True))
            row |= {
                "quantity_id": quantity_id(quantity, step.name, names, "superpopulation"),
                "quantity": quantity,
                "step": step.name,
                "basis": "superpopulation",
                "clock": "period",
                "as_of": "",
                "bound_low": 0.0,
                "bound_high": 1.0 if step.kind == "probability" else np.inf,
                "bound_basis": DATA,
                "contraction": 0.0,
                "contraction_own": 0.0,
                "label": NOT,
                "statements": 0,
            }
            frames.append(pd.DataFrame([row]))
    return frames
