"""``attrition compare``: two stored runs beside each other."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..options import JsonOption, RunArgument, RunsOption


def compare(
    first: RunArgument,
    second: RunArgument,
    split: Annotated[
        bool, typer.Option(help="Fit what lies between, where a change has several causes.")
    ] = True,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what differs between two runs, and why.

    Show what the second of two stored runs has otherwise: its claims, its plan, its numbers, its rates; and how much
    of every change is due to numbers that arrived, matured or were corrected, and how much to the model.
    """
    from ...estimation import verbs
    from ..moves import comparison_value, differences_text

    found = verbs.compare(first, second, runs=runs, split=split)
    emit(differences_text(found), comparison_value(found), as_json)
