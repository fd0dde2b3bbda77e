"""Everything the files of a plan hold: numbers, axes, sources; nothing placed or judged yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .axes import Axis
from .columns import match_columns
from .draft import Draft
from .errors import InputError
from .faults import Faults
from .fields import Fields
from .filters import OF_SOURCES
from .inputs import InputSpec, PanelSpec
from .long import read_long
from .read import read_file, read_input
from .sources import NO_SOURCES, Sources, read_sources
from .trees import axis_from_table
from .units import read_units
from .wide import read_wide


@dataclass(frozen=True)
class InputRecord:
    """One table that was read; ``unread`` names the columns that have no standard meaning."""

    file: str
    form: str
    sha256: str
    rows: int
    statements: int
    unread: tuple[str, ...] = ()


@dataclass
class Gathered:
    """What the files gave.

    Parameters
    ----------
    sources : Sources
    offense, jurisdiction : Axis or None
        None where the plan gives no file.
    drafts : list of Draft
    inputs : list of InputRecord
    columns : set of str
        Every column name that a filter may use.
    not_reported, not_applicable : int
        Fields that hold no number.
    undated : int
        Rows whose as-of date is today for want of another.
    """

    sources: Sources = NO_SOURCES
    offense: Axis | None = None
    jurisdiction: Axis | None = None
    drafts: list[Draft] = field(default_factory=list)
    inputs: list[InputRecord] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    not_reported: int = 0
    not_applicable: int = 0
    undated: int = 0


def gather(spec: PanelSpec, folder: Path, today: str, faults: Faults) -> Gathered:
    """Read every file of a plan.

    Parameters
    ----------
    spec : PanelSpec
    folder : Path
        The plan's.
    today : str
        ISO date that stands in for a missing as-of date.
    faults : Faults
        Receives every fault; a table that cannot be read gives nothing.
    """
    out = Gathered(
        sources=_sources(spec, folder, faults),
        offense=_axis("offense", spec.axes.offense, folder, faults),
        jurisdiction=_axis("jurisdiction", spec.axes.jurisdiction, folder, faults),
    )
    out.columns |= {name for name in OF_SOURCES if any(name in row for row in out.sources.rows.values())}
    stages = spec.funnel.stages
    labels: Counter[str] = Counter()
    for each in spec.inputs:
        try:
            table = read_input(each, folder)
        except InputError as error:
            faults.extend(error.problems, each.name)
            continue
        layout = match_columns(table, each, stages, len(spec.inputs) == 1, faults)
        labels[table.name] += 1
        label = table.name if labels[table.name] == 1 else f"{table.name}#{labels[table.name]}"
        needed = {"period"} if each.form == "wide" else {"stage", "count", "period_start", "period_end"}
        if not needed <= layout.at.keys():
            continue
        fields = Fields(table, each, layout, out.sources, today, faults, _units(each, folder, faults))
        wide = each.form == "wide"
        found = read_wide(fields, stages, label) if wide else read_long(fields, label, spec.roles)
        out.drafts += found.drafts
        out.undated += fields.undated
        out.not_reported += found.not_reported
        out.not_applicable += found.not_applicable
        out.columns |= {*layout.at, *layout.unread}
        out.inputs.append(
            InputRecord(
                table.name, each.form, table.sha256, len(table.rows), len(found.drafts), tuple(layout.unread)
            )
        )
    return out


def _axis(name: str, file: str | None, folder: Path, faults: Faults) -> Axis | None:
    if file is None:
        return None
    try:
        return axis_from_table(name, read_file(file, folder), faults)
    except InputError as error:
        faults.extend(error.problems, file)
        return None


def _units(spec: InputSpec, folder: Path, faults: Faults) -> dict[str, str] | None:
    if spec.units is None:
        return None
    try:
        return read_units(read_file(spec.units, folder), faults)
    except InputError as error:
        faults.extend(error.problems, spec.units)
        return None


def _sources(spec: PanelSpec, folder: Path, faults: Faults) -> Sources:
    if spec.sources is None:
        return NO_SOURCES
    try:
        return read_sources(read_file(spec.sources.file, folder), faults)
    except InputError as error:
        faults.extend(error.problems, spec.sources.file)
        return NO_SOURCES
