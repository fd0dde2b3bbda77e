"""``attrition runs``: what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import columns, emit, progress
from ..options import JsonOption


def runs(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR or PLAN]", envvar="ATTRITION_RUNS")] = None,
    as_json: JsonOption = False,
) -> None:
    """List stored runs.

    List the stored runs of a folder, or of the one beside a plan, the newest first.
    """
    from ...estimation.store.find import list_runs, meant_folder
    from ..findings import run_value

    root = meant_folder(folder)
    found = list_runs(root)
    if not found:
        progress(f"no runs in {root}")
    names = ("identity", "plan", "scenario", "status", "finished", "folder")
    rows = [
        (run.identity, run.name, run.scenario or "", run.status, run.created, str(run.folder))
        for run in found
    ]
    values = [
        {**run_value(run), "name": run.name, "scenario": run.scenario, "created": run.created}
        for run in found
    ]
    emit(columns(rows, names) if rows else "", values, as_json)
