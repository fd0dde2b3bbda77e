"""What becomes of the numbers read: which are left out, which make the mix, and where the others lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .axes import Axes
from .draft import Draft
from .faults import Faults
from .filters import first_match, idle
from .funnel import Funnel
from .gather import Gathered
from .inputs import PanelSpec
from .mix import belongs, settle, unfit_for_mix
from .placing import (
    Record,
    build_axes,
    containers,
    place_periods,
    unfit_reason,
    unknown_names,
)
from .vintages import not_current


@dataclass(frozen=True)
class Judged:
    """The numbers of a plan's files, placed.

    Parameters
    ----------
    axes : Axes
    records : list of Record
        One for each number, in reading order.
    mixed : frozenset of str
        Ids of the statements that may say how a total divides among offenses.
    columns : mapping of str to str
        Statement id to the column its number stands in.
    clashes : Faults
        Counts of the mix that cannot all be right.
    warnings : list of str
    """

    axes: Axes
    records: list[Record]
    mixed: frozenset[str]
    columns: Mapping[str, str]
    clashes: Faults
    warnings: list[str]


def judge(reading: Gathered, spec: PanelSpec, funnel: Funnel, faults: Faults) -> Judged:
    """Apply a plan's filters, dates, roles and axes to what its files gave."""
    drafts = reading.drafts
    excluded = [first_match(draft, spec.excludes, reading.sources.rows) for draft in drafts]
    preferred = [first_match(draft, spec.prefers, reading.sources.rows) for draft in drafts]
    warnings = idle("exclude", spec.excludes, excluded) + idle("prefer", spec.prefers, preferred)
    drafts = [
        draft if hit is None else _prefer(draft, spec.prefers[hit].reason)
        for draft, hit in zip(drafts, preferred, strict=True)
    ]
    records: dict[int, Record] = {}
    active: list[int] = []
    mixed: list[int] = []
    stale = not_current(
        drafts,
        [i for i, hit in enumerate(excluded) if hit is None],
        spec.as_of,
        lambda s: spec.vintages and s.clock == "cohort" and s.stage != funnel.stages[0],
    )
    for i, (draft, hit) in enumerate(zip(drafts, excluded, strict=True)):
        if hit is not None:
            records[i] = Record(draft.statement, "excluded", spec.excludes[hit].reason)
        elif i in stale:
            records[i] = stale[i]
        elif belongs(draft, spec.mix):
            reason = unfit_for_mix(draft.statement, spec.roles)
            records[i] = Record(draft.statement, "unused", reason)
            mixed += [] if reason else [i]
        elif reason := unfit_reason(draft, funnel, spec.roles, faults):
            records[i] = Record(draft.statement, "unused", reason)
        else:
            active.append(i)
    current = [draft for i, draft in enumerate(drafts) if excluded[i] is None and i not in stale]
    parents = containers(current, faults)
    candidates = [drafts[i] for i in active]
    mixes = [drafts[i] for i in mixed]
    axes, calendar = build_axes(
        candidates, reading.offense, reading.jurisdiction, parents, spec.axes, mixes, faults
    )
    unknown_names(candidates, axes, faults)
    unknown_names(mixes, axes, faults, ("offense",))
    columns = {draft.statement.id: draft.column for draft in drafts}
    records |= dict(zip(active, place_periods(candidates, calendar), strict=True))
    clashes = Faults()
    records |= dict(zip(mixed, settle(place_periods(mixes, calendar), columns, clashes), strict=True))
    if spec.mix is not None and not any(records[i].status == "used" for i in mixed):
        warnings.append(f"[mix] stage {spec.mix.stage} at {spec.mix.jurisdiction} matches no number")
    return Judged(
        axes,
        [records[i] for i in range(len(drafts))],
        frozenset(drafts[i].statement.id for i in mixed),
        columns,
        clashes,
        warnings,
    )


def _prefer(draft: Draft, reason: str) -> Draft:
    return replace(draft, statement=replace(draft.statement, preferred=reason))
