"""Rows that speak of one count and cannot all be right: the line that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .errors import Problem
from .limits import limits
from .statement import Statement

NAMED = 6


def disagreement(
    members: Sequence[Statement], columns: Mapping[str, str], subject: str = "cell, stage and period"
) -> Problem | None:
    """One line that names every row which some other excludes; None where all can be right.

    Parameters
    ----------
    members : sequence of Statement
        All of one subject. Where some are preferred only they must agree.
    columns : mapping of str to str
        Statement id to the column its number stands in.
    subject : str
        What there can be one count of.
    """
    sides = _apart(members) and _apart([s for s in members if s.preferred] or members)
    if not sides:
        return None
    order = sorted(sides, key=lambda s: (s.file, s.row))
    first = order[0]
    named, more = order[:NAMED], f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    dates = [s.as_of for s in named]
    dated = f" (as of {' and '.join(dates)})" if len(set(dates)) > 1 else ""
    # Only where no date is given do both the first and a later statement of one source stand.
    again = len({s.source_id for s in order}) < len({(s.source_id, s.as_of) for s in order})
    latest = max(s.as_of for s in order)
    stated = (
        f'; of a count stated again later the last counts once a date is given: as_of = "{latest}" in [intake] '
        "(a release has --as-of)"
    )
    return Problem(
        f"{'two' if len(order) == 2 else len(order)} rows disagree",
        f"{' and '.join(s.where for s in named)}{more}, column {columns.get(first.id, first.stage)}",
        " and ".join(f"{_said(s)} [{s.source_id}]" for s in named) + more + dated,
        f"one count for one {subject}",
        "correct one, [[exclude]] it, or [[prefer]] a source" + (stated if again else ""),
    )


def _apart(members: Sequence[Statement]) -> list[Statement]:
    """The members that another one excludes."""
    found = [(limits(s), s) for s in members]
    hard = [(ends, s) for ends, s in found if ends is not None]
    if not hard:
        return []
    floor, ceiling = max(low for (low, _), _ in hard), min(high for (_, high), _ in hard)
    return [s for (low, high), s in hard if low > ceiling or high < floor]


def _said(statement: Statement) -> str:
    """The fact in words, with what an approximate count is read as."""
    ends = limits(statement)
    if statement.relation != "approx" or ends is None:
        return statement.sentence()
    return f"{statement.sentence().removesuffix(')')}, read as {ends[0]:,.0f} to {ends[1]:,.0f})"
