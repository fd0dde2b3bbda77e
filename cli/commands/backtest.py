"""``attrition backtest``: what a plan would have said, held against what is known now."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import options as given
from ..console import emit, progress
from ..planfile import open_plan


def backtest(
    plan: given.PlanArgument,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Begin at this date.")] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Every so many dates.")] = 1,
    workers: given.WorkersOption = None,
    scheduler: given.SchedulerOption = None,
    draft: given.DraftOption = False,
    runs: given.RunsOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Replay a plan on past dates.

    Fit it to what was known on each, and hold what it said first against what is known now; nothing is fitted twice.
    """
    from ...estimation.runners.contract import Where
    from .. import moves, verdict
    from ..pipelines.backtest import backtest as make

    try:
        found = make(
            lambda day: open_plan(plan, [f'intake.as_of="{day}"'] if day else None), where=Where(workers, scheduler),
            since=since, every=every, runs=runs, draft=draft, say=progress,
        )  # fmt: skip
    except KeyboardInterrupt:
        raise moves.Stopped("runs") from None
    emit(verdict.backtest_text(found), found, as_json)
    raise typer.Exit(found["exit"])
