"""``attrition backtest``: what a plan would have said, held against what is known now."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit, progress
from ..options import JsonOption, PlanArgument, RunsOption
from ..planfile import open_plan


def backtest(
    plan: PlanArgument,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Begin at this date.")] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Every so many dates.")] = 1,
    draft: Annotated[bool, typer.Option("--draft", help="Few draws, for a first look.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay a plan on past dates.

    Fit a plan to what was known on each past date, and hold what it said first of every number against what is known
    now. What is stored is not fitted again.
    """
    from ..moves import Stopped
    from ..pipelines.backtest import backtest as make
    from ..verdict import backtest_text

    try:
        found = make(
            lambda day: open_plan(plan, [f'intake.as_of="{day}"'] if day else None),
            since=since, every=every, runs=runs, draft=draft, say=progress,
        )  # fmt: skip
    except KeyboardInterrupt:
        raise Stopped("runs") from None
    emit(backtest_text(found), found, as_json)
    raise typer.Exit(found["exit"])
