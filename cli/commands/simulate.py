"""``attrition simulate``: a plan's own panel, drawn forward."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..options import JsonOption, PlanArgument, SetOption
from ..planfile import open_plan


def simulate(
    plan: PlanArgument,
    seed: Annotated[int, typer.Option(min=0, help="The draw.")],
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a plan's panel anew.

    Draw the statements of a plan anew from its prior, with the rates that gave them.
    """
    from ...estimation import verbs
    from ..findings import simulation_text

    drawn = verbs.simulate(open_plan(plan, settings), seed)
    emit(simulation_text(drawn), drawn, as_json)
