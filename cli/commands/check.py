"""``attrition check``: the gates of a run."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..exits import CHECK_FAILED
from ..options import JsonOption, RunArgument, RunsOption


def check(
    run: RunArgument,
    strict: Annotated[bool, typer.Option("--strict", help="End with 4 when a check failed.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was checked.

    Show what was checked: passed, failed or informational, each with a number and a sentence.
    """
    from ...estimation import verbs
    from ...estimation.store.find import find_run
    from ..findings import checks_text

    found = find_run(run, runs)
    results = [dict(result) for result in verbs.check(found)]
    emit(checks_text(found, results), results, as_json)
    if strict and any(result["verdict"] == "failed" for result in results):
        raise typer.Exit(CHECK_FAILED)
