"""``attrition runs``: what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import columns, emit, progress
from ..options import JsonOption


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", envvar="ATTRITION_RUNS")] = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """List stored runs.

    List the stored runs of a folder, the newest first.
    """
    from ...estimation.store.find import list_runs
    from ..findings import run_value

    found = list_runs(folder / "runs" if (folder / "plan.toml").is_file() else folder)
    if not found:
        progress(f"no runs in {folder}")
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
