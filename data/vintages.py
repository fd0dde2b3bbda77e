"""What was known at a date: statements of a later day are not, and of several vintages of one fact the last is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from .draft import Draft
from .placing import Record
from .statement import Statement


def not_current(
    drafts: Sequence[Draft], active: Iterable[int], as_of: str | None, kept: Callable[[Statement], bool]
) -> dict[int, Record]:
    """Records of the drafts that a reader of a date would not use.

    Parameters
    ----------
    drafts : sequence of Draft
    active : iterable of int
        Positions of those that the plan does not exclude.
    as_of : str or None
        ISO date; None for no such date, and then nothing is told apart.
    kept : callable
        Is an earlier statement of a count a fact of its own, as what had become of a cohort by then?

    Returns
    -------
    dict of int to Record
        By position. *Unused*: known after the date only. *Dropped*: the same count of the same source was stated
        again at a later date, not after the one given.
    """
    if as_of is None:
        return {}
    out: dict[int, Record] = {}
    last: dict[Hashable, int] = {}
    for i in active:
        statement = drafts[i].statement
        if statement.as_of > as_of:
            out[i] = Record(statement, "unused", f"not known before {statement.as_of}")
            continue
        if kept(statement):
            continue
        key = _fact(drafts[i])
        other = last.get(key)
        if other is None or drafts[other].statement.as_of == statement.as_of:
            # Two numbers of one day are for the plan to choose between.
            last.setdefault(key, i)
            continue
        old, new = sorted((other, i), key=lambda k: drafts[k].statement.as_of)
        last[key] = new
        newer = drafts[new].statement
        reason = f"stated again on {newer.as_of}"
        out[old] = Record(drafts[old].statement, "dropped", reason, others=(newer.id,))
    return out


def _fact(draft: Draft) -> Hashable:
    """What a statement counts, and who says so."""
    s = draft.statement
    return (
        s.stage, s.offense, s.jurisdiction, draft.span, s.origin, s.clock, s.unit, s.share_of, s.closed, s.role,
        s.source_id,
    )  # fmt: skip
