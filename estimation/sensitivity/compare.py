"""A comparison: what other runs of a plan moved, each published rate in posterior sd of the base."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ...data.names import REEVALUATED, REFITTED, REWEIGHTED, SENSITIVITY_COLUMNS
from ..store.runs import Run
from .claims import ClaimChange
from .differences import Difference
from .revision import Revision
from .reweight import Reweighted
from .scale import few_cells, link_sd, linked, ratio_steps, superpopulation

_KEYS: Final = ("quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis")
_OF_A_MEDIAN: Final = math.sqrt(math.pi / 2)  # a median's standard error, in those of a mean


@dataclass(frozen=True)
class Varied:
    """A scenario that has been answered.

    Parameters
    ----------
    name, reason : str
    set : dict
        Dotted keys and their values.
    run : Run or Reweighted
        Its own, fitted or of the draws of the base, or these weighed anew.
    why : str
        Why it was fitted, where the draws of the base could not answer it.
    claims : tuple of ClaimChange
        What the base says otherwise.
    """

    name: str
    reason: str
    set: Mapping[str, Any]
    run: Run | Reweighted
    why: str = ""
    claims: tuple[ClaimChange, ...] = ()

    @property
    def weighed(self) -> Reweighted | None:
        """The weighed draws, where it was not fitted."""
        return self.run if isinstance(self.run, Reweighted) else None

    @property
    def folder(self) -> Path | None:
        """Of its own run, where it has one."""
        return self.run.folder if isinstance(self.run, Run) else None

    @property
    def route(self) -> str:
        """How it was answered, one of ``ROUTES``."""
        if isinstance(self.run, Reweighted):
            return REWEIGHTED
        return REEVALUATED if self.run.manifest.get("drawn_by") else REFITTED

    def record(self) -> dict[str, Any]:
        """An entry of ``scenarios.json``; the seconds are those of its fit or of its weights."""
        weighed = self.weighed
        return {
            "name": self.name,
            "reason": self.reason,
            "set": dict(self.set),
            "identity": self.run.identity,
            "status": self.run.status,
            "seconds": self.run.manifest.get("timings", {}).get("total"),
            "route": self.route,
            "why": self.why,
            "khat": weighed.khat if weighed else None,
            "ess": weighed.ess if weighed else None,
            "claims_changed": [one.record() for one in self.claims],
        }


@dataclass(frozen=True)
class Comparison:
    """A run, others beside it, and what they moved.

    Parameters
    ----------
    base : Run
    varied : tuple of Varied
    table : DataFrame
        Columns of ``SENSITIVITY_COLUMNS``: every rate and every end to end as a parameter, for every scenario.
    differences : tuple of Difference
        Of plan and statements, where two runs were compared by name.
    claims : tuple of ClaimChange
        Of the sentences that hold, in the same case.
    revision : Revision or None
        Every published number's change and its parts, in the same case.
    """

    base: Run
    varied: tuple[Varied, ...]
    table: pd.DataFrame
    differences: tuple[Difference, ...] = field(default=())
    claims: tuple[ClaimChange, ...] = field(default=())
    revision: Revision | None = None

    @property
    def unfit(self) -> bool:
        """A run behind the table did not reach its diagnostics."""
        return self.base.unfit or any(one.run.unfit for one in self.varied)

    @property
    def noise(self) -> float | None:
        """Shift that two fits of one plan exceed once in twenty by simulation alone, by the runs' own ESS.

        None where all have the draws of the base.
        """
        found = [run.manifest.get("diagnostics", {}).get("ess_min") for run in self._runs]
        if len(found) < 2 or not all(found):
            return None
        return 1.96 * _OF_A_MEDIAN * math.sqrt(1 / found[0] + 1 / min(found[1:]))

    @property
    def _runs(self) -> list[Run | Reweighted]:
        return [self.base, *(one.run for one in self.varied if one.route != REEVALUATED)]

    def front(self) -> pd.DataFrame:
        """Rows of the front table, offense × step at the answer node, with the largest mover of each.

        Returns
        -------
        DataFrame
            The table's columns and ``largest``: this scenario moves the row furthest. Rows in the order of the
            front table, then of the scenarios.
        """
        order = {name: number for number, name in enumerate(self.base.table(by="offense")["quantity_id"])}
        rows = self.table[self.table["quantity_id"].isin(list(order))].copy()
        rows["place"] = rows["quantity_id"].map(order)
        rows = rows.sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)
        far = rows["shift"].abs()
        top = far.groupby(rows["quantity_id"]).transform("max")
        rows["largest"] = far.notna() & (far == top) & (far > 0)
        return rows


def moved(base: Run, others: Sequence[tuple[str, Run | Reweighted]]) -> pd.DataFrame:
    """What other runs moved.

    Parameters
    ----------
    base : Run
    others : sequence of (name, Run or Reweighted)

    Returns
    -------
    DataFrame
        Columns of ``SENSITIVITY_COLUMNS``. ``value`` and ``base`` are medians; ``base_sd`` is the posterior sd of the
        base on the link scale (log for a ratio step, logit else), and ``shift`` the difference of the medians on it in
        these sd. All of them null where a row is not published; a label is null where a run has no such row. Rows
        of single cells are told where the base has at most 400.
    """
    cells = few_cells(base)
    mine = superpopulation(base, cells)
    ratios = ratio_steps(base.blueprint)
    sd = link_sd(base, mine[mine["median"].notna()])
    frames = [_one(name, mine, superpopulation(run, cells), sd, ratios) for name, run in others]
    if not frames:
        return pd.DataFrame(columns=list(SENSITIVITY_COLUMNS))
    return pd.concat(frames, ignore_index=True)


def _one(
    name: str, mine: pd.DataFrame, theirs: pd.DataFrame, sd: pd.Series, ratios: set[str]
) -> pd.DataFrame:
    ids = [*mine.index, *(theirs.index[~theirs.index.isin(mine.index)])]
    both = pd.concat([mine, theirs])
    out = both[~both.index.duplicated()].loc[ids, list(_KEYS)].reset_index(drop=True)
    out.insert(0, "scenario", name)
    out["value"] = theirs["median"].reindex(ids).to_numpy(dtype=float)
    out["base"] = mine["median"].reindex(ids).to_numpy(dtype=float)
    out["base_sd"] = sd.reindex(ids).to_numpy(dtype=float)
    gap = linked(out["value"], out["step"], ratios) - linked(out["base"], out["step"], ratios)
    out["shift"] = gap / out["base_sd"].to_numpy()
    for column, rows in (("label", theirs), ("base_label", mine)):
        labels = rows["label"].reindex(ids).to_numpy(dtype=object)
        out[column] = np.where(pd.isna(labels), None, labels)
    return out[list(SENSITIVITY_COLUMNS)]
