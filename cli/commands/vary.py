"""``attrition vary``: the scenarios of a plan, and what each moves."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..exits import UNFIT
from ..options import JsonOption, PlanArgument, RunsOption
from ..planfile import open_plan

Names = Annotated[
    list[str] | None, typer.Option("--scenario", metavar="NAME", help="Only this one; may be repeated.")
]


def vary(
    plan: PlanArgument,
    scenario: Names = None,
    draft: Annotated[bool, typer.Option("--draft", help="Few draws, for a first look.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the scenarios of a plan, and show what each moves.

    Fit a plan and each of its scenarios, and show what each moves; what is stored is not fitted again.
    """
    from ...estimation import verbs
    from ..moves import Stopped, comparison_value, sensitivity_text

    try:
        found = verbs.vary(open_plan(plan), scenario or None, runs=runs, draft=draft)
    except KeyboardInterrupt:
        raise Stopped from None
    emit(sensitivity_text(found), comparison_value(found), as_json)
    if found.unfit:
        raise typer.Exit(UNFIT)
