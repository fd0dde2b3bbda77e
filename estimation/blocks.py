"""Blocks of rows of the table of estimates: summaries of draws beside their companions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES, ESTIMATE_COLUMNS
from ..models.blueprint import Blueprint
from .aside import Aside
from .evidence import Behind
from .labels import NOT
from .memory import give_back
from .rows import BETWEEN, Bools, Floats, Reals, published_steps, quantity_id
from .rowwise import means_and_variances, row_blocks

DATA, DATA_AND_MIX = "data", "data + stated mix"
_QUANTILES = (("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95))


Block = Mapping[str, Any]  # columns of rows: of text as Arrow arrays, of numbers as NumPy's


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
        self._columns: dict[str, list[Any]] = {}

    def keep(self, block: Block, draws: Reals, aggregate: Bools) -> None:
        """Store a block and the draws of its aggregates, (N, R), or (N, 1) where they agree."""
        self.add(block)
        self.ids += block["quantity_id"].filter(pa.array(aggregate)).to_pylist()
        self.aggregates.add(draws[aggregate])

    def add(self, block: Block) -> None:
        """Store a block of rows that have no draws."""
        for name, column in block.items():
            self._columns.setdefault(name, []).append(column)

    def table(self) -> pd.DataFrame:
        """All blocks, which are given up on the way: column by column, so that nothing is ever held twice."""
        names = [name for name in ESTIMATE_COLUMNS if name in self._columns]
        whole = {name: _joined(self._columns.pop(name)) for name in names}
        give_back()
        return pd.DataFrame(whole, copy=False)


def _joined(pieces: Sequence[Any]) -> Any:
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    texts = [piece.cast(pa.large_string()) for piece in pieces]
    return pd.array(pa.chunked_array(texts).combine_chunks(), dtype="str")


def _text(values: Any) -> pa.Array:
    """Few different texts, which are written out when the table is put together."""
    return pa.array(values, pa.large_string()).dictionary_encode()


def _repeated(value: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(size, dtype=np.int8), pa.array([value], pa.large_string()))


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
    # Rows of one array would last as long as any of them.
    return dict(zip([*(name for name, _ in _QUANTILES), "mean", "sd"], map(np.copy, out), strict=True))


def _quantile(ordered: Floats, share: float) -> Floats:
    """A quantile of rows that are sorted, between two of their numbers in proportion (numpy's default)."""
    place = share * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    return ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low])


def block_of(
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
) -> Block:
    """Rows of one quantity, step and basis; the numbers of those that are not published are withheld."""
    size = len(names)
    nodes = [pa.array(column, pa.large_string()) for column in names.T]
    first, second, last, between = (
        pa.scalar(one, pa.large_string()) for one in (quantity, step.name, basis, BETWEEN)
    )
    return {
        "quantity_id": pc.binary_join_element_wise(first, second, *nodes, last, between),
        "quantity": _repeated(quantity, size),
        "step": _repeated(step.name, size),
        **{axis: node.dictionary_encode() for axis, node in zip(AXES, nodes, strict=True)},
        "basis": _repeated(basis, size),
        "clock": _text(np.where(behind.period_clock, "period", "cohort")),
        "as_of": _text(behind.as_of),
        **_summary(values, labels == NOT),
        "bound_low": limits[:, 0].copy(),
        "bound_high": limits[:, 1].copy(),
        "bound_basis": _text(np.where(behind.mixed, DATA_AND_MIX, DATA)),
        "contraction": against,
        "contraction_own": own,
        "label": _text(labels),
        "denominator_median": denominator,
        "statements": behind.statements,
    }


def finer_rows(blueprint: Blueprint, answer: tuple[str, str]) -> list[Block]:
    """Rows of the front table for offenses finer than any published denominator: no number, and why is elsewhere."""
    arrangement = blueprint.panel.arrangement
    finer = arrangement.finer if arrangement is not None else ()
    blocks: list[Block] = []
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
            blocks.append(
                {name: pa.array([v]) if isinstance(v, str) else np.array([v]) for name, v in row.items()}
            )
    return blocks
