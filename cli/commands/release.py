"""``attrition release``: one folder, one verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit, progress
from ..options import JsonOption, PlanArgument, ReleasesOption, RunsOption
from ..planfile import open_plan


def release(
    plan: PlanArgument,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="Use what was known at this date.")],
    formats: Annotated[str, typer.Option("--format", help="html, pdf, or both with a comma.")] = "html",
    releases: ReleasesOption = None,
    draft: Annotated[bool, typer.Option("--draft", help="Few draws, for a rehearsal.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a release: validate, estimate, vary, check, compare, report.

    Make a release of what was known at a date: one folder that is never overwritten, one verdict. A failed check
    withholds the numbers it touches, and the command ends with 4.
    """
    from ..moves import Stopped
    from ..pipelines.release import release as make
    from ..verdict import verdict_text

    opened = open_plan(plan, [f'intake.as_of="{as_of}"'])
    wanted = tuple(filter(None, map(str.strip, formats.split(","))))
    try:
        verdict = make(opened, runs=runs, releases=releases, formats=wanted, draft=draft, say=progress)
    except KeyboardInterrupt:
        raise Stopped("runs") from None
    emit(verdict_text(verdict), verdict, as_json)
    raise typer.Exit(verdict["exit"])
