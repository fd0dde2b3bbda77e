"""Reading a panel, and the account of what was read: every number has a status and a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from .coherence import Contradictory, incoherences, suspicions
from .errors import Problem
from .faults import Faults
from .filters import check_columns
from .gather import Gathered, InputRecord, gather
from .inputs import PanelSpec
from .judging import judge
from .lazy import Lazy
from .panel import Panel
from .placing import Record, Status, keep_records

STATUSES: tuple[Status, ...] = ("used", "unused", "excluded", "dropped")


@dataclass(frozen=True)
class Intake:
    """What was read and what became of it; ``intake.json``.

    Parameters
    ----------
    inputs : tuple of InputRecord
    records : sequence of Record
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
    records: Sequence[Record]
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
        records = list(self.records)
        known = {record.statement.id for record in records if record.status == "used"}
        strangers = [name for name in decisions if name not in known]
        if strangers:
            raise KeyError(f"no used statement has the id {strangers[0]!r}")

        def decided(record: Record) -> Record:
            decision = decisions.get(record.statement.id)
            if decision is None:
                return record
            status, reason, others, kinds = decision
            joined = f"{record.reason}; {reason}" if record.reason and reason else record.reason or reason
            return Record(record.statement, status, joined, tuple(kinds), tuple(others), placed=True)

        return replace(self, records=keep_records(map(decided, records)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values in the format of ``intake.json``."""
        return {**self.written(), "statements": list(Lazy(_entry, self.records))}

    def written(self) -> dict[str, Any]:
        """The same, but that each statement is made when it is asked for: a million of them take gigabytes."""
        return {
            "inputs": [asdict(each) | {"unread": list(each.unread)} for each in self.inputs],
            "counts": self.counts,
            "statements": Lazy(_entry, self.records),
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

    judged = judge(reading, spec, funnel, faults)
    reading.drafts.clear()  # with the rows they hold they take more than what has become of them
    warnings = _undated(reading, day) + judged.warnings
    axes, clashes, columns = judged.axes, judged.clashes, judged.columns
    taken = [record.statement for record in judged.records if record.status == "used"]
    mix = tuple(statement for statement in taken if statement.id in judged.mixed)
    used = tuple(statement for statement in taken if statement.id not in judged.mixed)
    known = [
        s for s in used if s.offense in axes.offense.by_name and s.jurisdiction in axes.jurisdiction.by_name
    ]
    problems, at_fault = incoherences(known, funnel, axes, columns, spec.vintages)
    clashes.extend(problems)
    if not used and not faults:
        reasons = Counter(record.reason for record in judged.records).most_common(3)
        why = "; ".join(f"{count} × {reason}" for reason, count in reasons) or "every field is blank"
        faults.add(Problem("no number is used", ", ".join(i.file for i in reading.inputs), why))
    if faults:
        faults.extend(clashes.problems())
        faults.raise_any()
    if clashes:
        rest = tuple(s for s in used if s.id not in at_fault)
        raise Contradictory(clashes.problems(), Panel(funnel, axes, rest, mix, dated=spec.vintages))

    panel = Panel(funnel, axes, used, mix, dated=spec.vintages)
    named = dict.fromkeys(record.statement.source_id for record in judged.records)
    if spec.sources is not None:
        unlisted = [name for name in named if name not in reading.sources.rows]
        if unlisted:
            shown = ", ".join(unlisted[:5]) + (", …" if len(unlisted) > 5 else "")
            warnings.append(
                f"{spec.sources.file} does not list {len(unlisted)} of {len(named)} sources: {shown}"
            )
    intake = Intake(
        inputs=tuple(reading.inputs),
        records=keep_records(judged.records),
        sources=tuple(reading.sources.rows[name] for name in named if name in reading.sources.rows),
        suspects=tuple(suspicions(used, funnel, axes)),
        warnings=tuple(warnings),
        not_reported=reading.not_reported,
        not_applicable=reading.not_applicable,
    )
    return panel, intake


def _entry(record: Record) -> dict[str, Any]:
    """A record as plain values."""
    return {
        **record.statement.values(),
        "status": record.status,
        "reason": record.reason,
        "kinds": list(record.kinds),
        "others": list(record.others),
        "placed": record.placed or record.status == "used",
    }


def _undated(reading: Gathered, day: str) -> list[str]:
    if not reading.undated:
        return []
    return [
        f"{reading.undated:,} rows have no as-of date, neither their own nor their source's; today's ({day}) "
        "is used: set as_of in the plan's [[input]] to keep runs comparable"
    ]
