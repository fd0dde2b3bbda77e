"""``attrition sbc``: whether the intervals of a plan's model hold the truth as often as they say."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit, progress
from ..exits import CHECK_FAILED
from ..options import JsonOption, PlanArgument, RunsOption, SchedulerOption, SetOption, WorkersOption
from ..planfile import open_plan


def sbc(
    plan: PlanArgument,
    worlds: Annotated[int, typer.Option("-n", "--worlds", help="Simulated panels to fit.")] = 200,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 4 when a quantity failed.")] = False,
    settings: SetOption = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit simulated panels of a plan.

    Fit panels simulated from a plan's prior, rank their truths among the draws, and write a certificate.
    """
    from ...estimation.calibration.sbc import calibrate
    from ...estimation.runners.contract import Where
    from ..calibrated import Stopped, calibration_text, calibration_value

    opened = open_plan(plan, settings)
    try:
        found = calibrate(opened, worlds, Where(workers, scheduler), runs, progress)
    except KeyboardInterrupt:
        raise Stopped from None
    emit(calibration_text(found), calibration_value(found), as_json)
    if strict and not found.passed:
        raise typer.Exit(CHECK_FAILED)
