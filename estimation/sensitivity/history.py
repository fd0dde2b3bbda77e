"""Published numbers over vintages: what was first said, what was last said, and what revisions there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ...data.names import AXES, CHANGE, HISTORY_COLUMNS, LABELS, REVISION_STATISTICS
from ..store.layout import RELEASED
from ..store.runs import Run

COUNTED: Final = LABELS[4]
LIKE: Final = ("quantity", "step", "basis")  # numbers whose revisions are told together
_KEYS: Final = ("quantity_id", "quantity", "step", *AXES, "basis")


@dataclass(frozen=True)
class Vintage:
    """What was said on a date.

    Parameters
    ----------
    as_of : str
        ISO date.
    rows : DataFrame
        Those with a number: columns of ``ESTIMATE_COLUMNS``, and ``span``, what the row's period is made of.
    """

    as_of: str
    rows: pd.DataFrame


def vintage(as_of: str, run: Run) -> Vintage:
    """The numbers of a run that leave it: where its plan holds counts back, those of its released side."""
    held_back = run.folder / f"{RELEASED}.parquet"
    rows = pd.read_parquet(held_back) if held_back.is_file() else run.estimates
    rows = rows[rows["median"].notna()].drop_duplicates("quantity_id")
    spans = _spans(run.blueprint["axes"]["period"])
    names = {
        name: CHANGE.join(spans.get(part, part) for part in name.split(CHANGE))
        for name in rows["period"].unique()
    }
    return Vintage(as_of, rows.assign(span=rows["period"].map(names)))


def history(vintages: Sequence[Vintage]) -> pd.DataFrame:
    """Numbers that stand in the last vintage and in an earlier one, with what was first said of them.

    Parameters
    ----------
    vintages : sequence of Vintage
        In the order of their dates.

    Returns
    -------
    DataFrame
        Columns of ``HISTORY_COLUMNS``. ``first`` is from the earliest vintage that published the number of the same
        periods: a year, or all of the table, is another number once it holds another quarter. ``outside``: the latest
        lies outside the 90 % interval first published; null where that was counted and had no interval.
    """
    if len(vintages) < 2:
        return pd.DataFrame(columns=list(HISTORY_COLUMNS))
    last = vintages[-1].rows.set_index("quantity_id")["span"]
    said = pd.concat([one.rows.assign(said=one.as_of) for one in vintages], ignore_index=True)
    said = said[said["span"] == said["quantity_id"].map(last)]
    first, latest = (
        said.drop_duplicates("quantity_id", keep=end).set_index("quantity_id") for end in ("first", "last")
    )
    out = latest[list(_KEYS[1:])].copy()
    out["vintages"] = said.groupby("quantity_id").size()
    for name, rows in (("first", first), ("latest", latest)):
        out[f"{name}_as_of"], out[name], out[f"{name}_label"] = rows["said"], rows["median"], rows["label"]
    out["first_q05"], out["first_q95"] = first["q05"], first["q95"]
    out["revision"] = out["latest"] - out["first"]
    out["outside"] = _outside(out)
    return out[out["vintages"] > 1].reset_index()[list(HISTORY_COLUMNS)]


def statistics(table: pd.DataFrame) -> pd.DataFrame:
    """What revisions there were, for each quantity, step and basis.

    Parameters
    ----------
    table : DataFrame
        Columns of ``HISTORY_COLUMNS``.

    Returns
    -------
    DataFrame
        Columns of ``REVISION_STATISTICS``, over the numbers that had an interval at first: mean (``bias``), mean
        absolute and root mean square revision, and the share whose latest value lies outside the first 90 % interval;
        the same share among those counted since (``counted``), null where there are none.

    Notes
    -----
    The share should be about .1: it is the one check of intervals that needs no truth. Rows share cells, so that its
    error is larger than that of as many independent numbers.
    """
    rows = table[table["outside"].notna()]
    rows = rows.assign(
        absolute=rows["revision"].abs(),
        square=rows["revision"] ** 2,
        hit=rows["outside"].astype(float),
        since=rows["latest_label"] == COUNTED,
    )
    by = rows.groupby(list(LIKE), sort=False)
    out = by.agg(
        numbers=("revision", "size"),
        bias=("revision", "mean"),
        mean_absolute=("absolute", "mean"),
        root_mean_square=("square", lambda values: float(np.sqrt(values.mean()))),
        share_outside=("hit", "mean"),
        counted=("since", "sum"),
    )
    out["counted_outside"] = rows[rows["since"]].groupby(list(LIKE))["hit"].mean()
    return out.reset_index()[list(REVISION_STATISTICS)]


def _outside(rows: pd.DataFrame) -> pd.Series:
    hit = (rows["latest"] < rows["first_q05"]) | (rows["latest"] > rows["first_q95"])
    return hit.astype("boolean").mask(rows["first_label"] == COUNTED)


def _spans(nodes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The periods without others below them that each node holds, as one text."""
    inside: dict[str, list[str]] = {str(node["name"]): [] for node in nodes}
    parents = {str(node["name"]): node["parent"] for node in nodes}
    for leaf in set(inside) - {str(up) for up in parents.values()}:
        at: str | None = leaf
        while at is not None:
            inside[at].append(leaf)
            at = parents[at]
    return {name: " ".join(sorted(leaves)) for name, leaves in inside.items()}
