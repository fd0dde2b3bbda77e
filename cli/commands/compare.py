"""``attrition compare``: two stored runs beside each other."""

from __future__ import annotations

from ..console import emit
from ..options import JsonOption, RunArgument, RunsOption


def compare(
    first: RunArgument, second: RunArgument, runs: RunsOption = None, as_json: JsonOption = False
) -> None:
    """Show what differs between two runs.

    Show what the second of two stored runs has otherwise: its plan, its numbers, its rates.
    """
    from ...estimation import verbs
    from ..moves import comparison_value, differences_text

    found = verbs.compare(first, second, runs=runs)
    emit(differences_text(found), comparison_value(found), as_json)
