"""``attrition show``: a run, or one number of it, explained."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..options import JsonOption, RunArgument, RunsOption


def show(
    run: RunArgument,
    cell: Annotated[
        str | None, typer.Option(metavar="offense=…,jurisdiction=…,period=…", help="The rate to explain.")
    ] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a run, or explain a number.

    Show a run's answer, or where one of its numbers comes from; an axis not named means all of it.
    """
    from ...estimation.store.find import find_run
    from ..explain import explain, explanation_text
    from ..findings import answer_text, answer_value

    found = find_run(run, runs)
    if cell is None:
        emit(answer_text(found), answer_value(found), as_json)
        return
    explained = explain(found, cell)
    emit(explanation_text(explained), explained, as_json)
