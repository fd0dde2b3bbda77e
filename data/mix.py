"""``[mix]``: the counts by offense at one place that tell how a total divides among offenses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .disagreement import disagreement
from .draft import Draft
from .faults import Faults
from .inputs import MixSpec
from .placing import Record
from .statement import Statement

REASON = "the offense mix"


def belongs(draft: Draft, spec: MixSpec | None) -> bool:
    """Is a statement one of the stage and the place that ``[mix]`` names?"""
    statement = draft.statement
    named = (statement.stage, statement.jurisdiction)
    return spec is not None and named == (spec.stage, spec.jurisdiction)


def unfit_for_mix(statement: Statement, roles: Sequence[str]) -> str:
    """Why a statement says nothing of the mix; empty when it does."""
    if statement.role not in roles:
        return f"its role is {statement.role}"
    if statement.relation not in ("exact", "approx"):
        return f"{REASON} needs an exact or an approximate count, not {statement.relation}"
    return ""


def settle(placed: Sequence[Record], columns: Mapping[str, str], faults: Faults) -> list[Record]:
    """One statement for each offense and period; the others are dropped in its favor.

    A preferred statement wins, then an exact one, then the first read. Counts that cannot all be right are a fault
    unless some are preferred and agree; they stay as they are.

    Parameters
    ----------
    placed : sequence of Record
        On the period axis, or unused with a reason.
    columns : mapping of str to str
        Statement id to the column its number stands in.
    faults : Faults
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for i, record in enumerate(placed):
        if record.status == "used":
            groups.setdefault((record.statement.offense, record.statement.period), []).append(i)
    records = list(placed)
    for members in groups.values():
        problem = disagreement([placed[i].statement for i in members], columns, "offense and period")
        if problem is not None:
            faults.add(replace(problem, what=f"{problem.what} about {REASON}"))
            continue
        order = sorted(members, key=lambda i: _rank(placed[i].statement))
        best = placed[order[0]].statement
        records[order[0]] = Record(best, "used", "; ".join(filter(None, (placed[order[0]].reason, REASON))))
        for i in order[1:]:
            other = placed[i].statement
            better = "is preferred" if best.preferred else f"is {best.relation} or was read first"
            gives = f"gives way to {best.where}, which {better}"
            reason = f"repeats {best.where}" if other.count == best.count else gives
            records[i] = Record(other, "dropped", reason, others=(best.id,))
    return records


def _rank(statement: Statement) -> tuple[bool, bool]:
    return not statement.preferred, statement.relation != "exact"
