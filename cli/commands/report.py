"""``attrition report``: the page of a stored run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import emit, progress
from ..options import JsonOption, RunArgument, RunsOption


def report(
    run: RunArgument,
    formats: Annotated[str, typer.Option("--format", help="html, pdf, or both with a comma.")] = "html",
    pack: Annotated[bool, typer.Option("--pack", help="Also one short report a jurisdiction.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that make the pack.")] = None,
    words: Annotated[Path | None, typer.Option(help="A translation of the catalogue of words.")] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a run.

    Write the report of a run beside it, and print where it is.
    """
    from ...estimation.store.find import find_run
    from ...reports.render import write_report

    wanted = tuple(name.strip() for name in formats.split(",") if name.strip())
    written = write_report(
        find_run(run, runs), wanted, pack=pack, workers=workers, words=words, told=progress
    )
    paths = {name: str(path) for name, path in written.items()}
    for name in sorted(set(paths) - set(wanted)):
        progress(f"{name}: {paths[name]}")
    emit("\n".join(paths[name] for name in wanted if name in paths), paths, as_json)
