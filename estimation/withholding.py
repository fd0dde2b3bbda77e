"""Which numbers a failed check withholds, and a table of estimates without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from ..data.names import AXES, CHANGE, LABELS, ROOT

NUMBERS: Final = ("median", "mean", "sd", "q05", "q25", "q75", "q95")
_NOT: Final = LABELS[3]


def failures(checks: Sequence[Mapping[str, Any]], accepted: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Failed checks that nothing accepts."""
    return [check for check in checks if check["verdict"] == "failed" and check["name"] not in accepted]


def withheld(
    table: pd.DataFrame, blueprint: Mapping[str, Any], failed: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Rows that failed checks touch.

    Parameters
    ----------
    table : DataFrame
        Columns of ``ESTIMATE_COLUMNS``.
    blueprint : mapping
        As stored in ``blueprint.json``.
    failed : sequence of mapping
        Records of ``checks.json``; one that names no place touches every row. A place touches the rows at its nodes
        and below, of the steps that lead to or pass its stage; rows above it stand on more than that place.

    Returns
    -------
    dict of str to str
        Names of the checks by quantity_id, of the rows that have a number.
    """
    found = pd.Series("", index=table.index)
    for check in failed:
        hit = np.zeros(len(table), dtype=bool)
        for place in check.get("affects") or [{}]:
            hit |= _touched(table, blueprint, place)
        joined = np.where(found == "", check["name"], found + ", " + check["name"])
        found = pd.Series(np.where(hit, joined, found), index=table.index)
    rows = (found != "") & table["median"].notna()
    return dict(zip(table.loc[rows, "quantity_id"], found[rows], strict=True))


def without(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The table with the numbers of the rows named by quantity_id taken out; their bounds stay."""
    out = table.copy()
    rows = out["quantity_id"].isin(list(names))
    out.loc[rows, list(NUMBERS)] = np.nan
    out.loc[rows, "label"] = _NOT
    return out


def _touched(table: pd.DataFrame, blueprint: Mapping[str, Any], place: Mapping[str, str]) -> np.ndarray:
    hit = np.ones(len(table), dtype=bool)
    for axis in AXES:
        node = place.get(axis, ROOT)
        if node != ROOT:
            names = _below(blueprint["axes"][axis], node)
            hit &= np.array(
                [any(part in names for part in str(name).split(CHANGE)) for name in table[axis]], dtype=bool
            )
    if "stage" in place:
        stages = list(blueprint["funnel"]["stages"])
        at = stages.index(place["stage"])
        ends = {step: [stages.index(stage) for stage in step.split("-")] for step in table["step"].unique()}
        hit &= table["step"].map({step: a < at <= b for step, (a, b) in ends.items()}).to_numpy(dtype=bool)
    return hit


def _below(nodes: Sequence[Mapping[str, Any]], name: str) -> set[str]:
    """A node and everything below it; parents stand before children."""
    found = {name}
    for node in nodes:
        if node["parent"] in found:
            found.add(node["name"])
    return found
