"""How published numbers were revised: each change split into what arrived, matured, was corrected, and the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.names import REVISION_COLUMNS, REVISION_PARTS
from ..binding import Bound
from ..store.runs import Run
from .causes import CAUSES, Cause, Caused, after, causes
from .differences import Difference, differences
from .history import COUNTED
from .rebuild import rebound

Fit = Callable[[Bound], Run]
_OF_DATA: Final = ("input", "exclude", "prefer", "intake", "sources")
_KEYS: Final = ("quantity_id", "quantity", "step", "offense", "jurisdiction", "period", "basis")


@dataclass(frozen=True)
class Link:
    """One step of the way from an earlier run to a later one.

    Parameters
    ----------
    part : str
        One of ``REVISION_PARTS``.
    run : Run
        Before the later runs' steps have been made.
    sentence : str
        What was changed in it.
    """

    part: str
    run: Run
    sentence: str


@dataclass(frozen=True)
class Revision:
    """How the numbers of one run became those of another.

    Parameters
    ----------
    table : DataFrame
        Columns of ``REVISION_COLUMNS``, a row for each quantity that either run publishes.
    links : tuple of Link
        In order; the last ends at the later run. Empty where nothing was news, or ``unsplit`` says why.
    unsplit : str
        Why the parts are not told apart; empty where they are.
    """

    table: pd.DataFrame
    links: tuple[Link, ...]
    unsplit: str = ""

    def record(self) -> dict[str, Any]:
        """Plain values, without the table."""
        links = [
            {
                "part": one.part,
                "identity": one.run.identity,
                "status": one.run.status,
                "sentence": one.sentence,
            }
            for one in self.links
        ]
        return {"links": links, "unsplit": self.unsplit}


def revise(one: Run, two: Run, fit: Fit | None) -> Revision:
    """Split what changed between two runs of one question.

    Parameters
    ----------
    one, two : Run
        The earlier and the later.
    fit : callable or None
        Fits what lies between, and keeps it; None to fit nothing, and then what was not the only cause stays together.

    Returns
    -------
    Revision

    Notes
    -----
    The sequence is stated: the earlier plan on the earlier statements, fitted with this version where the version
    changed; then with what was corrected; with what matured; with what arrived, which is the earlier plan on the later
    statements; last the later plan. A part is the difference of two neighbouring runs, so that the parts of a row sum
    to its revision exactly; another order would give other parts. Nothing is fitted for a cause that is not there.
    """
    found = causes(one.intake, two.intake, one.blueprint["funnel"]["stages"][0])
    present = [cause for cause in CAUSES if any(item.cause == cause for item in found)]
    model = any(_of_model(difference, one, two) for difference in differences(one, two))
    software = one.manifest.get("source_digest") != two.manifest.get("source_digest")
    parts = [*(["software"] if software else []), *present, *(["plan"] if model else [])]
    if not parts:
        # Whatever differs all the same is of the fits.
        return Revision(_table(one, two, [("model", one, two)]), ())
    if len(parts) == 1:
        part = "model" if parts[0] in ("software", "plan") else parts[0]
        return Revision(_table(one, two, [(part, one, two)]), (Link(part, two, _words(parts[0], found)),))
    if fit is None:
        why = f"{', '.join(_words(part, found) for part in parts)}: nothing was fitted to tell them apart"
        return Revision(_table(one, two, []), (), why)
    try:
        between = _between(one, two, found, parts, fit)
    except InputError as error:
        why = "the earlier plan cannot be fitted to the later numbers: "
        return Revision(_table(one, two, []), (), why + "; ".join(p.line() for p in error.problems))
    runs = [one, *between, two]
    steps = [
        ("model" if part in ("software", "plan") else part, runs[k], runs[k + 1])
        for k, part in enumerate(parts)
    ]
    links = tuple(Link(steps[k][0], runs[k + 1], _words(part, found)) for k, part in enumerate(parts))
    return Revision(_table(one, two, steps), links)


def _of_model(difference: Difference, one: Run, two: Run) -> bool:
    """Is it of the model, and not of the statements alone?"""
    if difference.about == "axes":
        # A tree that no file gives is made of what the data name.
        files = (run.blueprint.get("plan", {}).get("axes", {}).get(difference.key) for run in (one, two))
        return difference.key != "period" and any(files)
    return difference.about == "plan" and difference.key.split(".")[0] not in _OF_DATA


def _between(one: Run, two: Run, found: Sequence[Caused], parts: Sequence[str], fit: Fit) -> list[Run]:
    done: list[Cause] = []
    runs = []
    for part in parts[:-1]:
        done += [cause for cause in CAUSES if cause == part]
        runs.append(fit(rebound(one, after(one.intake, found, done), two)))
    return runs


def _words(part: str, found: Sequence[Caused]) -> str:
    count = sum(item.cause == part for item in found)
    return {
        "software": "the version of the package",
        "plan": "the plan",
        "corrected": f"{count:,} numbers corrected or withdrawn",
        "matured": f"{count:,} outcomes of the same cohorts counted later",
        "arrived": f"{count:,} numbers arrived",
    }[part]


def _table(one: Run, two: Run, steps: Sequence[tuple[str, Run, Run]]) -> pd.DataFrame:
    """Rows of either run with their revision and its parts; null where a run on the way does not publish the row."""
    old, new = _rows(one), _rows(two)
    ids = [*new.index, *old.index[~old.index.isin(new.index)]]
    both = pd.concat([new, old])
    out = both[~both.index.duplicated()].loc[ids, list(_KEYS)].reset_index(drop=True)
    for name, rows in (("old", old), ("new", new)):
        out[name] = rows["median"].reindex(ids).to_numpy(dtype=float)
        labels = rows["label"].reindex(ids).to_numpy(dtype=object)
        out[f"{name}_label"] = np.where(pd.isna(labels), None, labels)
    out["revision"] = out["new"] - out["old"]
    for part in REVISION_PARTS:
        out[part] = np.where(out["revision"].notna() & bool(steps), 0.0, np.nan)
    for part, before, now in steps:
        ends = [_rows(run)["median"].reindex(ids).to_numpy(dtype=float) for run in (before, now)]
        out[part] += ends[1] - ends[0]
    # Where one link lacks a row none of its parts can be told.
    broken = out[list(REVISION_PARTS)].isna().any(axis=1)
    out.loc[broken, list(REVISION_PARTS)] = np.nan
    low, high = (old[q].reindex(ids).to_numpy(dtype=float) for q in ("q05", "q95"))
    outside = (out["new"] < low) | (out["new"] > high)
    # What was counted had no interval to leave.
    none = out["revision"].isna() | (out["old_label"] == COUNTED) | np.isnan(low) | np.isnan(high)
    out["outside"] = outside.astype("boolean").mask(none)
    return out[list(REVISION_COLUMNS)]


def _rows(run: Run) -> pd.DataFrame:
    return run.estimates.drop_duplicates("quantity_id").set_index("quantity_id", drop=False)
