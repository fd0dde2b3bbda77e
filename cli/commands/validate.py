"""``attrition validate``: every problem at once."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit, progress
from ..exits import INPUT
from ..options import JsonOption, PlanArgument, SetOption
from ..planfile import open_plan


def validate(
    plan: PlanArgument,
    explain: Annotated[bool, typer.Option("--explain", help="Also the model, in words.")] = False,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every problem at once.

    Show every problem of a plan and its data, and which rates no number speaks of.
    """
    from ...estimation import verbs
    from ..findings import validation_text, validation_value

    found = verbs.validate(open_plan(plan, settings))
    if found.problems:
        for problem in found.problems:
            progress(problem.line())
        if as_json:
            emit("", validation_value(found), as_json)
        raise typer.Exit(INPUT)
    emit(validation_text(found, plan, explain), validation_value(found), as_json)
