"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PlanArgument = Annotated[
    Path, typer.Argument(metavar="PLAN", help="A plan file, or a folder with plan.toml.")
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's folder, the beginning of its identity, or a plan.")
]
FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Where to put the plan and its data.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RunsOption = Annotated[
    Path | None, typer.Option("--runs", help="Folder of runs; runs/ beside PLAN by default.")
]
ReleasesOption = Annotated[
    Path | None, typer.Option("--releases", help="Folder of releases; releases/ beside PLAN by default.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the plan.")
]
ScenarioOption = Annotated[
    list[str] | None,
    typer.Option("--scenario", metavar="NAME", help="Only this one, or this family; may be repeated."),
]
ListOption = Annotated[bool, typer.Option("--list", help="Only show what would be answered.")]
DraftOption = Annotated[bool, typer.Option("--draft", help="Few draws, for a first look.")]
RefitOption = Annotated[
    bool, typer.Option("--refit", help="Fit the scenarios too that weights could answer.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        metavar="N",
        help="So many processes fit side by side; this one alone unless told.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Fit on the workers of this Dask scheduler; local: one of this machine, with N workers.",
    ),
]
