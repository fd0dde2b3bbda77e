"""Reading a panel, and the account of what was read: every number has a status and a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from .coherence import Contradictory, incoherences, suspicions
from .draft import Draft
from .errors import Problem
from .faults import Faults
from .filters import check_columns, first_match, idle
from .gather import Gathered, InputRecord, gather
from .inputs import PanelSpec
from .mix import belongs, settle, unfit_for_mix
from .panel import Panel
from .placing import Record, Status, build_axes, containers, place_periods, unfit_reason, unknown_names
from .vintages import not_current

STATUSES: tuple[Status, ...] = ("used", "unused", "excluded", "dropped")


class Entries(Sequence[dict[str, Any]]):
    """Records as plain values, made one at a time.

    Parameters
    ----------
    records : sequence of Record
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Entries(self._records[at])
        record = self._records[at]
        return {
            **record.statement.values(),
            "status": record.status,
            "reason": record.reason,
            "kinds": list(record.kinds),
            "others": list(record.others),
            "placed": record.placed or record.status == "used",
        }


@dataclass(frozen=True)
class Intake:
    """What was read and what became of it; ``intake.json``.

    Parameters
    ----------
    inputs : tuple of InputRecord
    records : tuple of Record
        One for each number read, in reading order.
    sources : tuple of mapping
        The rows of the sources file that a statement names.
    suspects : tuple of str
        Things that look wrong and are not changed.
    warnings : tuple of str
    not_reported : int
        Blank fields and fields declared so.
    not_applicable : int
    """

    inputs: tuple[InputRecord, ...]
    records: tuple[Record, ...]
    sources: tuple[Mapping[str, str], ...] = ()
    suspects: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    not_reported: int = 0
    not_applicable: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Numbers read, used, unused, excluded and dropped; the first is the sum of the others."""
        found = Counter(record.status for record in self.records)
        return {"read": len(self.records), **{status: found[status] for status in STATUSES}}

    def with_decisions(
        self, decisions: Mapping[str, tuple[Status, str, Sequence[str], Sequence[str]]]
    ) -> Intake:
        """The account after later stages have decided.

        Parameters
        ----------
        decisions : mapping of str to (status, reason, others, kinds)
            By statement id. A reason recorded here is kept in front of a later one.

        Raises
        ------
        KeyError
            For an id that was not read, or not used so far.
        """
        known = {record.statement.id for record in self.records if record.status == "used"}
        strangers = [name for name in decisions if name not in known]
        if strangers:
            raise KeyError(f"no used statement has the id {strangers[0]!r}")
        records = []
        for record in self.records:
            decision = decisions.get(record.statement.id)
            if decision is not None:
                status, reason, others, kinds = decision
                joined = f"{record.reason}; {reason}" if record.reason and reason else record.reason or reason
                record = Record(record.statement, status, joined, tuple(kinds), tuple(others), placed=True)
            records.append(record)
        return replace(self, records=tuple(records))

    def to_dict(self) -> dict[str, Any]:
        """Plain values in the format of ``intake.json``."""
        return {**self.written(), "statements": list(Entries(self.records))}

    def written(self) -> dict[str, Any]:
        """The same, but that each statement is made when it is asked for: a million of them take gigabytes."""
        return {
            "inputs": [asdict(each) | {"unread": list(each.unread)} for each in self.inputs],
            "counts": self.counts,
            "statements": Entries(self.records),
            "sources": [dict(source) for source in self.sources],
            "suspects": list(self.suspects),
            "warnings": list(self.warnings),
            "not_reported": self.not_reported,
            "not_applicable": self.not_applicable,
        }


def read_panel(spec: PanelSpec, folder: Path, today: date | None = None) -> tuple[Panel, Intake]:
    """Read, check and place everything a plan names.

    Parameters
    ----------
    spec : PanelSpec
    folder : Path
        The plan's; paths in it are relative to it.
    today : date, optional
        Stands in for a missing as-of date; the day of the call by default.

    Returns
    -------
    panel : Panel
        The statements to be fitted.
    intake : Intake
        The account of every number read.

    Raises
    ------
    InputError
        With every fault found, not only the first.
    Contradictory
        One of these: rows that cannot all be true are the only fault.
    """
    faults = Faults()
    funnel = spec.funnel.to_funnel()
    day = (today or date.today()).isoformat()
    reading = gather(spec, folder, day, faults)
    check_columns("exclude", spec.excludes, reading.columns, faults)
    check_columns("prefer", spec.prefers, reading.columns, faults)

    drafts = reading.drafts
    warnings = _undated(reading, day)
    excluded = [first_match(draft, spec.excludes, reading.sources.rows) for draft in drafts]
    preferred = [first_match(draft, spec.prefers, reading.sources.rows) for draft in drafts]
    warnings += idle("exclude", spec.excludes, excluded) + idle("prefer", spec.prefers, preferred)
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

    ordered = tuple(records[i] for i in range(len(drafts)))
    mix = tuple(records[i].statement for i in mixed if records[i].status == "used")
    apart = {statement.id for statement in mix}
    used = tuple(r.statement for r in ordered if r.status == "used" and r.statement.id not in apart)
    known = [
        s for s in used if s.offense in axes.offense.by_name and s.jurisdiction in axes.jurisdiction.by_name
    ]
    problems, at_fault = incoherences(known, funnel, axes, columns, spec.vintages)
    clashes.extend(problems)
    if not used and not faults:
        reasons = Counter(record.reason for record in ordered).most_common(3)
        why = "; ".join(f"{count} × {reason}" for reason, count in reasons) or "every field is blank"
        faults.add(Problem("no number is used", ", ".join(i.file for i in reading.inputs), why))
    if faults:
        faults.extend(clashes.problems())
        faults.raise_any()
    if clashes:
        rest = tuple(s for s in used if s.id not in at_fault)
        raise Contradictory(clashes.problems(), Panel(funnel, axes, rest, mix, dated=spec.vintages))

    panel = Panel(funnel, axes, used, mix, dated=spec.vintages)
    named = dict.fromkeys(record.statement.source_id for record in ordered)
    if spec.sources is not None:
        unlisted = [name for name in named if name not in reading.sources.rows]
        if unlisted:
            shown = ", ".join(unlisted[:5]) + (", …" if len(unlisted) > 5 else "")
            warnings.append(
                f"{spec.sources.file} does not list {len(unlisted)} of {len(named)} sources: {shown}"
            )
    intake = Intake(
        inputs=tuple(reading.inputs),
        records=ordered,
        sources=tuple(reading.sources.rows[name] for name in named if name in reading.sources.rows),
        suspects=tuple(suspicions(used, funnel, axes)),
        warnings=tuple(warnings),
        not_reported=reading.not_reported,
        not_applicable=reading.not_applicable,
    )
    return panel, intake


def _prefer(draft: Draft, reason: str) -> Draft:
    return replace(draft, statement=replace(draft.statement, preferred=reason))


def _undated(reading: Gathered, day: str) -> list[str]:
    if not reading.undated:
        return []
    return [
        f"{reading.undated:,} rows have no as-of date, neither their own nor their source's; today's ({day}) "
        "is used: set as_of in the plan's [[input]] to keep runs comparable"
    ]
