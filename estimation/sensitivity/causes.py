"""Why a number was revised: what arrived, what matured, what was corrected; and the statements after each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from .statements import StatementChange, statement_changes

Cause = Literal["corrected", "matured", "arrived"]
CAUSES: Final[tuple[Cause, ...]] = ("corrected", "matured", "arrived")


@dataclass(frozen=True)
class Caused:
    """A change of the statements, and its cause.

    Parameters
    ----------
    cause : {"corrected", "matured", "arrived"}
    change : StatementChange
    """

    cause: Cause
    change: StatementChange


def causes(one: Mapping[str, Any], two: Mapping[str, Any], first: str) -> list[Caused]:
    """Changes of the statements read into the panel, each with its cause.

    Parameters
    ----------
    one, two : mapping
        As stored in ``intake.json``, the earlier first.
    first : str
        The first stage, which has no outcomes.

    Returns
    -------
    list of Caused
        *Arrived*: a fact that was not there before, and nothing else of the same count and source. *Matured*: an
        outcome of the same cohort of the same source, counted at a later date and not lower. *Corrected*: everything
        else, a fact that is withdrawn or excluded among it. What neither run read into its panel is no change.
    """
    found = []
    for change in statement_changes(_placed(one), _placed(two)):
        if change.before is None:
            cause: Cause = "arrived"
        elif change.after is None or not _matured(change.before, change.after, first):
            cause = "corrected"
        else:
            cause = "matured"
        found.append(Caused(cause, change))
    return found


def after(one: Mapping[str, Any], found: Sequence[Caused], done: Sequence[Cause]) -> list[dict[str, Any]]:
    """The lines of the statements once changes of some causes have been made to the earlier ones."""
    lines = {str(line["id"]): dict(line) for line in _placed(one)["statements"]}
    made = [item.change for item in found if item.cause in done]
    for change in made:
        if change.before is not None:
            del lines[str(change.before["id"])]
    for change in made:
        if change.after is not None:
            # A row of the later data may stand where another one stood before.
            name = str(change.after["id"])
            name = name if name not in lines else f"{name} (later)"
            lines[name] = {**change.after, "id": name}
    return list(lines.values())


def _placed(intake: Mapping[str, Any]) -> dict[str, Any]:
    """Lines read into the panel; what the model made of a fact is no change of it."""
    lines = [
        line for line in intake.get("statements", []) if line.get("placed", line.get("status") == "used")
    ]
    return {"statements": [{**line, "status": "used", "reason": ""} for line in lines]}


def _matured(before: Mapping[str, Any], after: Mapping[str, Any], first: str) -> bool:
    same = all(before.get(key) == after.get(key) for key in ("relation", "unit", "origin", "clock"))
    later = str(after.get("as_of", "")) > str(before.get("as_of", ""))
    old, new = before.get("count"), after.get("count")
    grown = old is not None and new is not None and float(new) >= float(old)
    return same and later and grown and after.get("clock") == "cohort" and after.get("stage") != first
