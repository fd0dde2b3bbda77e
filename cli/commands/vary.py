"""``attrition vary``: the scenarios of a plan, and what each moves."""

from __future__ import annotations

import typer

from .. import options as given
from ..console import emit
from ..exits import DONE, UNFIT
from ..planfile import open_plan


def vary(
    plan: given.PlanArgument,
    scenario: given.ScenarioOption = None,
    only_list: given.ListOption = False,
    refit: given.RefitOption = False,
    workers: given.WorkersOption = None,
    scheduler: given.SchedulerOption = None,
    draft: given.DraftOption = False,
    runs: given.RunsOption = None,
    as_json: given.JsonOption = False,
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
        found = verbs.vary(
            opened, names, runs=runs, draft=draft, refit=refit, where=verbs.Where(workers, scheduler)
        )
    except KeyboardInterrupt:
        raise Stopped from None
    emit(sensitivity_text(found), comparison_value(found), as_json)
    raise typer.Exit(UNFIT if found.unfit else DONE)
