"""How the statements of a plan combine: which were used as they stand, reduced, dropped or left out, and why."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .console import columns

SHOWN = 12
_ORDER = {"used": 0, "dropped": 1, "unused": 2, "excluded": 3}


def combined_text(intake: dict[str, Any], blueprint: dict[str, Any]) -> str:
    """The groups by form, and what became of the statements; those of one reason on one line.

    Parameters
    ----------
    intake, blueprint : dict
        As stored in ``intake.json`` and ``blueprint.json``.
    """
    forms = ", ".join(f"{count:,} {form}" for form, count in blueprint["groups"].items())
    by_reason: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for one in intake["statements"]:
        by_reason[one["status"], one["reason"]].append(one)
    found = sorted(by_reason.items(), key=lambda item: (_ORDER[item[0][0]], -len(item[1])))
    rows = []
    for status in _ORDER:
        mine = [(reason, same) for (which, reason), same in found if which == status]
        rows += [(status, _who(same), reason) for reason, same in mine[:SHOWN]]
        rest = sum(len(same) for _, same in mine[SHOWN:])
        if rest:
            rows.append((status, f"{rest:,} more", "each for a reason of its own, in intake.json"))
    table = columns(rows, ("status", "statements", "why"))
    return f"Groups that share unobserved counts, each with one density: {forms}.\n\n{table}"


def _who(same: list[dict[str, Any]]) -> str:
    first = f"{same[0]['file']}, row {same[0]['row']}"
    return first if len(same) == 1 else f"{len(same):,} from {first} on"
