"""From drafts to records: which statements are used, where they lie, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from .axes import Axes, Axis
from .axesspec import AxesSpec
from .calendar import Calendar, Span, build_calendar, grain_of, year
from .draft import Draft
from .errors import Problem, did_you_mean
from .faults import Faults
from .funnel import Funnel
from .lazy import Lazy, shared
from .names import ROOT
from .statement import Statement
from .trees import axis_from_names

Status = Literal["used", "unused", "excluded", "dropped"]
MISSPELT = 0.8


@dataclass(frozen=True, slots=True)
class Record:
    """A number that was read and what became of it.

    Parameters
    ----------
    statement : Statement
    status : {"used", "unused", "excluded", "dropped"}
    reason : str
        Empty for a statement that is used as it stands.
    kinds : tuple of str
        The kinds that claimed it.
    others : tuple of str
        Ids of the statements it depends on or gave way to.
    placed : bool
        It was read into the panel, whatever the model made of it later.
    """

    statement: Statement
    status: Status = "used"
    reason: str = ""
    kinds: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    placed: bool = False


def keep_records(records: Iterable[Record]) -> Sequence[Record]:
    """Records as columns, what became of many numbers once."""
    found = [(one.statement, (one.status, one.reason, one.kinds, one.others, one.placed)) for one in records]
    return Lazy(_record, [statement for statement, _ in found], shared(fate for _, fate in found))


def _record(statement: Statement, fate: tuple[Status, str, tuple[str, ...], tuple[str, ...], bool]) -> Record:
    return Record(statement, *fate)


def unfit_reason(draft: Draft, funnel: Funnel, roles: Sequence[str], faults: Faults) -> str:
    """Why a statement takes no part, whatever the axes; empty when it does. Misspelt stages are faults."""
    statement = draft.statement
    if statement.role not in roles:
        return f"its role is {statement.role}"
    denominator = statement.share_of
    for stage in (statement.stage, denominator):
        if stage is None or stage in funnel.stages:
            continue
        if _misspelt(stage, funnel.stages):
            column = "stage" if stage == statement.stage else "relation"
            faults.add(
                Problem(
                    "unknown stage",
                    draft.where(column),
                    repr(stage),
                    ", ".join(funnel.stages),
                    did_you_mean(stage, funnel.stages),
                ),
                draft.place(column),
            )
        return f"the stage {stage} is not in the funnel"
    if denominator is not None and funnel.index(denominator) >= funnel.index(statement.stage):
        return f"a share of {denominator}, which is no earlier stage than {statement.stage}"
    # A share has no unit of its own; what was closed without a stage are units of the stage before.
    if denominator is not None or not statement.unit_class:
        return ""
    counted = funnel.stages[max(funnel.index(statement.stage) - statement.closed, 0)]
    if statement.unit_class not in funnel.classes(counted):
        unit = f"{statement.unit!r} (class {statement.unit_class})"
        return f"it counts {unit}, while the stage {counted} counts {funnel.unit(counted)}"
    return ""


def _misspelt(stage: str, stages: Sequence[str]) -> bool:
    known = [name.casefold() for name in stages]
    return bool(get_close_matches(stage.casefold(), known, n=1, cutoff=MISSPELT))


def containers(drafts: Sequence[Draft], faults: Faults) -> dict[str, str]:
    """Each jurisdiction's container according to ``part_of``; two different ones are a fault."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        if not draft.part_of:
            continue
        place = draft.statement.jurisdiction
        first = found.setdefault(place, draft)
        if first.part_of != draft.part_of:
            faults.add(
                Problem(
                    f"{place!r} is part of two places",
                    draft.where("part_of"),
                    repr(draft.part_of),
                    f"{first.part_of!r}, as in row {first.statement.row}",
                ),
                draft.place("part_of"),
            )
    return {place: draft.part_of for place, draft in found.items() if place != ROOT}


def build_axes(
    drafts: Sequence[Draft],
    offense: Axis | None,
    jurisdiction: Axis | None,
    parents: Mapping[str, str],
    spec: AxesSpec,
    mix: Sequence[Draft],
    faults: Faults,
) -> tuple[Axes, Calendar]:
    """The axes: those of the files, else what these statements name; of the mix only the offenses count."""
    spans = [draft.span for draft in drafts]
    calendar = build_calendar(spans, spec.period or grain_of([*spans, *spec.ends]), spec.ends)
    if offense is None:
        offenses = sorted({d.statement.offense for d in (*drafts, *mix)})
        offense = axis_from_names("offense", offenses, {}, faults)
    if jurisdiction is None:
        places = sorted({d.statement.jurisdiction for d in drafts})
        jurisdiction = axis_from_names("jurisdiction", places, parents, faults)
    return Axes(offense, jurisdiction, calendar.axis), calendar


def unknown_names(
    drafts: Sequence[Draft], axes: Axes, faults: Faults, names: Sequence[str] = ("offense", "jurisdiction")
) -> None:
    """Report offenses and jurisdictions that the axes do not have."""
    for name in names:
        axis = axes[name]
        seen: set[tuple[str, int]] = set()
        for draft in drafts:
            value, statement = getattr(draft.statement, name), draft.statement
            if value in axis.by_name or (statement.file, statement.row) in seen:
                continue
            seen.add((statement.file, statement.row))
            faults.add(
                Problem(
                    f"unknown {name}",
                    draft.where(name),
                    repr(value),
                    do=f"{did_you_mean(value, axis.by_name)}; or add it to the {name} file",
                ),
                draft.place(name),
            )


def place_periods(drafts: Sequence[Draft], calendar: Calendar) -> list[Record]:
    """Records of the statements on the period axis, one for each draft, in order.

    Of several spans that count as one year only one can be used: a preferred one, else the calendar year,
    else the one with most of its days in the year; the others are unused and say so.
    """
    places = {span: calendar.place(span) for span in {draft.span for draft in drafts}}
    placed = [places[draft.span] for draft in drafts]
    groups: dict[tuple[str, ...], list[int]] = {}
    yearly = calendar.grain == "year"
    for i, (draft, placement) in enumerate(zip(drafts, placed, strict=True)):
        if yearly and placement.node is not None:
            s = draft.statement
            key = (
                s.stage,
                s.offense,
                s.jurisdiction,
                placement.node,
                s.origin,
                s.clock,
                s.share_of or s.closed * s.relation,
            )
            groups.setdefault(key, []).append(i)
    beaten: dict[int, int] = {}
    for members in groups.values():
        if len({drafts[i].span for i in members}) == 1:
            continue
        best = min(
            members,
            key=lambda i: (
                not drafts[i].statement.preferred,
                placed[i].shifted,
                -_overlap(drafts[i].span, placed[i].node),
            ),
        )
        beaten |= {i: best for i in members if drafts[i].span != drafts[best].span}
    records: list[Record] = []
    for i, (draft, placement) in enumerate(zip(drafts, placed, strict=True)):
        statement = draft.statement
        if placement.node is None:
            records.append(Record(statement, "unused", placement.reason))
            continue
        moved = statement
        if statement.period != placement.node:
            moved = replace(statement, period=placement.node, shifted=placement.shifted)
        if i in beaten:
            other = drafts[beaten[i]].statement
            reason = (
                f"{statement.period} and {other.period} both count as {placement.node}; {other.where} is used"
            )
            records.append(Record(moved, "unused", reason, others=(other.id,)))
        else:
            records.append(Record(moved, "used", placement.reason))
    return records


def _overlap(span: Span | None, node: str | None) -> int:
    if span is None or node is None or not node.isdigit():
        return 0
    home = year(int(node))
    return (min(span.end, home.end) - max(span.start, home.start)).days + 1
