"""``attrition init``: a plan and its data to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import emit
from ..options import FolderArgument, JsonOption
from .bundled import first_table, public_evidence, routing
from .simulated import simulated

init = typer.Typer(help="Write a plan and its data.", no_args_is_help=True, rich_markup_mode=None)
for command in (public_evidence, first_table, routing):
    init.command()(command)


@init.command()
def table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .parquet or .xlsx table.")],
    folder: FolderArgument,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Of a workbook that has several.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at your own wide table, copy it, and write a commented plan for it."""
    from .. import starts

    written = starts.write_start(starts.own_table(file, sheet), folder)
    emit(starts.start_text(written), written, as_json)


init.command()(simulated)
