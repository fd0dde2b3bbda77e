"""The scale on which a shift is told: sd of a run's own draws, on the link of each row's step."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from ...data.names import AXES
from ..rows import Floats, link
from ..store.runs import RATES, Run

FEW_CELLS: Final = 400
_CHUNK: Final = 256


class Rated(Protocol):
    """Whatever has a table of estimates: a stored run, or one weighed anew."""

    @property
    def blueprint(self) -> dict[str, Any]:
        """As in ``blueprint.json``."""
        ...

    @property
    def estimates(self) -> pd.DataFrame:
        """One row a published quantity."""
        ...


def paths(blueprint: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Steps between any two stages by name: the consecutive ones that each goes along.

    Parameters
    ----------
    blueprint : dict
        As stored in ``blueprint.json``.
    """
    stages, steps = blueprint["funnel"]["stages"], [step["name"] for step in blueprint["steps"]]
    between = combinations(range(len(stages)), 2)
    return {f"{stages[one]}-{stages[two]}": tuple(steps[one:two]) for one, two in between}


def ratio_steps(blueprint: dict[str, Any]) -> set[str]:
    """Names of the steps told on the log scale, consecutive or not; the others are on the logit.

    Parameters
    ----------
    blueprint : dict
        As stored in ``blueprint.json``.
    """
    alone = {step["name"] for step in blueprint["steps"] if step["kind"] == "ratio"}
    counted_once = blueprint["funnel"].get("assume_one_to_one", {})
    return alone | {
        name
        for name, along in paths(blueprint).items()
        if len(along) > 1 and name not in counted_once and not alone.isdisjoint(along)
    }


def linked(values: pd.Series, steps: pd.Series, ratios: set[str]) -> Floats:
    """Values on the link scale of each row's step; NaN stays NaN."""
    numbers = values.to_numpy(dtype=float)
    return np.where(steps.isin(ratios), link(numbers, True), link(numbers, False))


def superpopulation(run: Rated, cells: bool) -> pd.DataFrame:
    """Rates and ends to ends as parameters, by quantity_id; single cells only where asked for."""
    rows = run.estimates
    rows = rows[rows["quantity"].isin(RATES) & (rows["basis"] == "superpopulation")]
    if not cells:
        rows = rows[~single(run, rows)]
    return rows.drop_duplicates("quantity_id").set_index("quantity_id", drop=False)


def few_cells(run: Run) -> bool:
    """Are the rows of single cells few enough to be told one by one?"""
    return int(single(run, superpopulation(run, True)).sum()) <= FEW_CELLS


def single(run: Rated, rows: pd.DataFrame) -> pd.Series:
    """Rows of one cell: a leaf of each of the three axes."""
    leaf = pd.Series(True, index=rows.index)
    for axis in AXES:
        parents = {node["parent"] for node in run.blueprint["axes"][axis]}
        leaf &= ~rows[axis].isin(parents)
    return leaf


def link_sd(run: Run, rows: pd.DataFrame) -> pd.Series:
    """Posterior sd of rows on their link scale, from the run's stored draws.

    Parameters
    ----------
    run : Run
    rows : DataFrame
        Rows of its estimates, with the quantity_id as index.

    Returns
    -------
    Series
        By quantity_id; NaN where the run keeps no draws of a row or they do not vary.
    """
    ratios = ratio_steps(run.blueprint)
    ratio = dict(zip(rows.index, rows["step"].isin(ratios), strict=True))
    sd = dict.fromkeys(rows.index, np.nan)
    value = run.draws["quantities"]["value"]
    ids = [str(name) for name in value["quantity_id"].to_numpy()]
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        if sd.keys().isdisjoint(part):
            continue
        block = value.isel(quantity_id=slice(start, start + _CHUNK)).to_numpy().reshape(-1, len(part))
        for column, name in enumerate(part):
            if name in sd:
                sd[name] = _sd(block[:, column].astype(float), ratio[name])
    absent = rows.loc[~rows.index.isin(ids)]
    sd |= _cell_sds(run, absent, ratios) if len(absent) else {}
    return pd.Series(sd, dtype=float)


def _sd(draws: Floats, ratio: bool) -> float:
    spread = float(link(draws, ratio).std(ddof=1)) if np.isfinite(draws).all() else np.nan
    return spread if spread > 0 else np.nan


def _cell_sds(run: Run, rows: pd.DataFrame, ratios: set[str]) -> dict[str, float]:
    """The same of single cells, whose step rates are kept in fewer draws."""
    rate = run.draws["cells"]["rate"]
    table = rate.to_numpy().reshape(-1, rate.sizes["step_cell"]).astype(float)
    keys = zip(*(rate[name].to_numpy().astype(str) for name in ("step", *AXES)), strict=True)
    at = {key: number for number, key in enumerate(keys)}
    along = paths(run.blueprint)
    found = {}
    for name, row in rows.iterrows():
        node = tuple(str(row[axis]) for axis in AXES)
        path = along[str(row["step"])]
        columns = [at.get((str(step), *node)) for step in path]
        kept = [column for column in columns if column is not None]
        if len(kept) == len(path):
            found[str(name)] = _sd(table[:, kept].prod(axis=1), row["step"] in ratios)
    return found
