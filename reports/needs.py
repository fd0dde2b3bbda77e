"""What would have to be published: for each offense and step, the statements that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pandas as pd

from ..data.names import SHARE_OF
from .companions import MIXED, WITHHELD
from .front import finer, grid, offenses
from .steps import StepView, words
from .view import View
from .wording import say

ENOUGH: Final = ("data-driven", "counted", "confidential")
COUNTS: Final = ("exact", "approx", "rounded", "range", "suppressed")
NEEDS: Final = ("denominator", "outcome", "pair", "origin", "cohort", "more")


@dataclass(frozen=True)
class Published:
    """Which offense and stage has a count, at which places and periods, inside the answer.

    Parameters
    ----------
    view : View
    """

    view: View

    @cached_property
    def _rows(self) -> pd.DataFrame:
        rows = self.view.used
        share = rows["relation"].astype(str).str.startswith(SHARE_OF)
        rows = rows[rows["relation"].isin(COUNTS) | share]
        for axis in ("jurisdiction", "period"):
            tree, at = self.view.axes[axis], self.view.answer[axis]
            inside = {n for n in tree.by_name if n == at or at in tree.ancestors(n)}
            rows = rows[rows[axis].isin(inside)]
        # A share speaks of both its stages.
        of = rows[rows["relation"].astype(str).str.startswith(SHARE_OF)]
        of = of.assign(stage=of["relation"].astype(str).str.removeprefix(SHARE_OF))
        return pd.concat([rows, of], ignore_index=True)

    @cached_property
    def _stated(self) -> dict[tuple[str, str], pd.DataFrame]:
        return {(str(s), str(o)): rows for (s, o), rows in self._rows.groupby(["stage", "offense"])}

    def stated(self, stage: str, offense: str) -> pd.DataFrame:
        """Statements about an offense itself."""
        return self._stated.get((stage, offense), self._rows.head(0))

    def cells(self, stage: str, offense: str) -> set[tuple[str, str]]:
        """Places and periods where a count is stated, of the offense itself or of all its parts."""
        rows = self.stated(stage, offense)
        own = set(zip(rows["jurisdiction"], rows["period"], strict=True))
        parts = [n for n in self.view.axes["offense"].children.get(offense, ()) if n in self._shown]
        if not parts:
            return own
        return own | set.intersection(*(self.cells(stage, part) for part in parts))

    @cached_property
    def _shown(self) -> set[str]:
        return set(self.view.shown("offense"))


def missing(view: View) -> pd.DataFrame:
    """One row a (offense, step) whose number the data do not decide.

    Columns: offense, step, label, statements, one boolean for each of ``NEEDS``, finer, mixed, and ``needs``, the
    kinds that are missing as a tuple.
    """
    published = Published(view)
    rows = grid(view)
    out = []
    for row in rows[~rows["label"].isin(ENOUGH)].to_dict("records"):
        found = _needs(published, view, view.step[row["step"]], row["offense"])
        out.append(
            {
                "offense": row["offense"],
                "step": row["step"],
                "label": row["label"],
                "statements": row["statements"],
            }
            | {name: name in found for name in NEEDS}
            | {"finer": row["offense"] in finer(view), "mixed": row["bound_basis"] == MIXED, "needs": found}
        )
    columns = ["offense", "step", "label", "statements", *NEEDS, "finer", "mixed", "needs"]
    return pd.DataFrame(out, columns=columns)


def _needs(published: Published, view: View, step: StepView, offense: str) -> tuple[str, ...]:
    source, target = view.stages[step.source], view.stages[step.target]
    below, above = published.cells(source, offense), published.cells(target, offense)
    found = []
    if not below:
        found.append("denominator")
    if not above:
        found.append("outcome")
    if below and above and not below & above:
        found.append("pair")
    outcomes = published.stated(target, offense)
    if not len(outcomes) or not (outcomes["origin"] == "referred_only").any():
        found.append("origin")
    if not len(outcomes) or not (outcomes["clock"] == "cohort").any():
        found.append("cohort")
    return tuple(found) or ("more",)


def in_words(view: View, step: StepView, needs: tuple[str, ...]) -> str:
    """What is missing at a step, as a phrase."""
    source, target = words(view.stages[step.source]), words(view.stages[step.target])
    phrase = {
        "denominator": say("counts by this offense at the stage {source}").format(source=source),
        "outcome": say("counts by this offense at the stage {target}").format(target=target),
        "pair": say("{source} and {target} for the same places and periods").format(
            source=source, target=target
        ),
        "origin": say("how many of the {target} counts began as {stages}s").format(
            target=target, stages=words(view.stages[0])
        ),
        "cohort": say("{target} counted for the same {source} cohort, whenever it came").format(
            target=target, source=source
        ),
        "more": "more places, or larger counts: all that is needed is published, but too little of it",
    }
    return "; ".join(phrase[name] for name in needs)


def grouped(view: View) -> pd.DataFrame:
    """Gaps that are alike together: step, needs, words, cells, offenses, labels; most cells first."""
    rows = missing(view)
    out = []
    names = list(offenses(view))
    for (step, needs), block in rows.groupby(["step", "needs"], sort=False):
        out.append(
            {
                "step": step,
                "missing": in_words(view, view.step[str(step)], needs),
                "cells": len(block),
                "not_published": int((block["label"] == WITHHELD).sum()),
                "offenses": [n for n in names if n in set(block["offense"])],
            }
        )
    columns = ["step", "missing", "cells", "not_published", "offenses"]
    frame = pd.DataFrame(out, columns=columns)
    steps = {name: i for i, name in enumerate(view.step)}
    key = pd.DataFrame({"s": frame["step"].map(steps), "n": -frame["cells"]}, index=frame.index)
    return frame.loc[key.sort_values(["s", "n"], kind="stable").index].reset_index(drop=True)
