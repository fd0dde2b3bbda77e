"""The rows of a run and the draws it keeps of them, read once for many scenarios; those of one row side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...data.names import AXES
from ..store.runs import Run
from ..thinning import by_chain
from .weights import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_COLUMNS: Final = (
    128  # turned around at a time: all at once, every number would be a line of memory of its own
)


@dataclass(frozen=True)
class Drawn:
    """Rows of a run, rates as parameters and what is made of them, with their draws.

    Parameters
    ----------
    table : DataFrame
        Superpopulation rows of the estimates.
    place : mapping of quantity_id to int
        Positions in the table.
    at : (T,)
        Where the draws of each row of the table are; -1 where none are kept, as of single cells.
    rows : (Q, R) float32
        Draws of rows, in the order of the table.
    cell : mapping of (step, offense, jurisdiction, period) to int
        Where the draws of each single cell are.
    cells : (C, R') float32
        Rates of single cells under fewer draws.
    chains : int
    """

    table: pd.DataFrame
    place: Mapping[str, int]
    at: Ints
    rows: NDArray[np.float32]
    cell: Mapping[tuple[str, ...], int]
    cells: NDArray[np.float32]
    chains: int

    @property
    def ids(self) -> list[str]:
        """Of the rows of which draws are kept, in their order."""
        return self.table["quantity_id"][self.at >= 0].tolist()


def drawn_of(run: Run) -> Drawn:
    """What a stored run has."""
    table = run.estimates[run.estimates["basis"] == "superpopulation"]
    place = {str(name): number for number, name in enumerate(table["quantity_id"])}
    value = run.draws["quantities"]["value"].transpose("chain", "draw", "quantity_id")
    found = np.array([place.get(str(name), -1) for name in value["quantity_id"].to_numpy()], dtype=np.int64)
    order = np.argsort(found, kind="stable")
    some = order[found[order] >= 0]
    at = np.full(len(table), -1)
    at[found[some]] = np.arange(len(some))
    rate = run.draws["cells"]["rate"].transpose("chain", "draw", "step_cell")
    keys = zip(*(rate[name].to_numpy().astype(str).tolist() for name in ("step", *AXES)), strict=True)
    return Drawn(
        table,
        place,
        at,
        _turned(value.to_numpy(), some),
        {key: number for number, key in enumerate(keys)},
        _turned(rate.to_numpy(), np.arange(rate.sizes["step_cell"])),
        value.sizes["chain"],
    )


def _turned(values: NDArray[Any], some: Ints) -> NDArray[np.float32]:
    """Some columns of draws (chain, draw, N) as rows."""
    values = values.reshape(-1, values.shape[-1])
    out = np.empty((len(some), len(values)), dtype=np.float32)
    for start in range(0, len(some), _COLUMNS):
        out[start : start + _COLUMNS] = values[:, some[start : start + _COLUMNS]].T
    return out


class Resampled:
    """Draws of a run that stand for a scenario, each as often as its weight says.

    Parameters
    ----------
    drawn : Drawn
        Of the run.
    weights : Weights
    rng, rng_cells : Generator
        For all draws, and for the fewer ones that are kept of single cells.

    Attributes
    ----------
    chosen : (R,)
        Which draws.
    rows : (Q, R) float32
        Those of rows.
    """

    def __init__(
        self, drawn: Drawn, weights: Weights, rng: np.random.Generator, rng_cells: np.random.Generator
    ) -> None:
        self._drawn = drawn
        self.chosen = weights.resampled(rng)
        # Several times faster than by brackets, and for each step of the funnel the draws are needed once more.
        self.rows = np.take(drawn.rows, self.chosen, axis=1)
        kept = by_chain(len(weights.weight), drawn.chains, drawn.cells.shape[1])
        self._of_cells = weights.resampled(rng_cells, kept)
        self._beside = kept[self._of_cells]

    def cells(self, along: Ints) -> Floats:
        """Draws of single cells over the steps on the way (N, L), which are multiplied, (N, R')."""
        return self._drawn.cells[along[..., None], self._of_cells].astype(float).prod(axis=1)

    def beside(self, at: Ints) -> NDArray[np.float32]:
        """Draws of rows, each with a draw of the cells, (N, R')."""
        return self._drawn.rows[at[:, None], self._beside]
