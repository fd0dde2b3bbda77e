"""``attrition vary``: the scenarios of a plan, and what each moves."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..exits import UNFIT
from ..options import JsonOption, PlanArgument, RefitOption, RunsOption, ScenarioOption, WorkersOption
from ..planfile import open_plan


def vary(
    plan: PlanArgument,
    scenario: ScenarioOption = None,
    only_list: Annotated[bool, typer.Option("--list", help="Only show what would be answered.")] = False,
    refit: RefitOption = False,
    workers: WorkersOption = 1,
    draft: Annotated[bool, typer.Option("--draft", help="Few draws, for a first look.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Weigh the draws of the plan's own fit for each scenario, or fit it; show what each moves."""
    from ...estimation import verbs
    from ..moves import Stopped, comparison_value, sensitivity_text

    names, opened = scenario or None, open_plan(plan)
    if only_list:
        asked = verbs.scenarios(opened, names, draft=draft)
        emit("\n".join(asked.sentences), asked.records(), as_json)
        raise typer.Exit
    try:
        found = verbs.vary(opened, names, runs=runs, draft=draft, refit=refit, workers=workers)
    except KeyboardInterrupt:
        raise Stopped from None
    emit(sensitivity_text(found), comparison_value(found), as_json)
    if found.unfit:
        raise typer.Exit(UNFIT)
