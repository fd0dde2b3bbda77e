"""The front table under each scenario, for a page that lets its reader choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .companions import labeled
from .document import Cell, Row, Variant
from .front import joined, name_of, offenses
from .numbers import decimals, estimate, factor_of, interval, number
from .scenarios import compared
from .steps import StepView
from .view import View
from .wording import say

UNCOMPARED: Final = "without a number here or as published"


def variants(view: View) -> tuple[Variant, ...]:
    """One for each scenario in their order; none where the run was not varied."""
    rows = compared(view)
    published = view.rates("offense").set_index(["offense", "step"])
    out = []
    for entry in view.run.scenarios:
        mine = rows[rows["scenario"] == entry["name"]]
        by = {(row["offense"], row["step"]): row for row in mine.to_dict("records")}
        lines = []
        for offense, depth in offenses(view).items():
            cells = [
                _cell(step, by[key], published.loc[key].to_dict())
                if (key := (offense, step.name)) in by and by[key]["moved"]
                else Cell(UNCOMPARED, tone="muted")
                for step in view.steps
            ]
            lines.append(Row((Cell(name_of(view, offense)), *joined(cells)), depth=depth))
        reason = say("A scenario, not the published table: {reason}.").format(
            reason=entry["reason"].rstrip(".")
        )
        if entry.get("status") != "complete":
            reason += say(" Its sampler did not reach its diagnostics: no number of it is fit for use.")
        out.append(Variant(entry["name"], reason, tuple(lines)))
    return tuple(out)


def _cell(step: StepView, row: Mapping[str, Any], published: Mapping[str, Any]) -> Cell:
    """The scenario's median with the published number, its interval and the distance between the two."""
    ends = published["q05"], published["q95"]
    places = decimals(ends, factor_of(step.scale))
    more = (
        say("shift {shift} sd").format(shift=number(row["shift"], 2, signed=True)),
        say("published: {base}").format(base=estimate(row["base"], step.scale, places)),
        f"90 %: {interval(*ends, step.scale, places)}",
    )
    badge = labeled(str(row["label"]))
    return Cell(estimate(row["value"], step.scale, places), tone="strong", more=more, badge=badge)
