"""``attrition estimate``: fit a plan and keep the run."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..exits import UNFIT
from ..options import JsonOption, PlanArgument, RunsOption, SetOption
from ..planfile import open_plan


def estimate(
    plan: PlanArgument,
    engine: Annotated[
        str | None, typer.Option(help="nuts, laplace, numpyro or auto; else what the plan says.")
    ] = None,
    settings: SetOption = None,
    seed: Annotated[int | None, typer.Option(help="The one seed everything derives from.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Few draws, for a first look.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Fit even if the run is stored.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a plan and keep the run.

    Fit a plan and keep the run with every rate; a stored run of the same inputs is returned at once.
    """
    from ...estimation import verbs
    from ..findings import run_text, run_value

    opened = open_plan(plan, settings)
    run = verbs.estimate(opened, engine=engine, seed=seed, draft=draft, again=again, runs=runs)
    emit(run_text(run), run_value(run), as_json)
    if run.unfit:
        raise typer.Exit(UNFIT)
