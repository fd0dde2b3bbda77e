"""From groups to batches: groups of one shape stand together, as arrays an engine can evaluate at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..data.panel import Panel
from . import catalogue
from .contract import Analysis, Batch, Bools, Group, PartKind, ReportKind
from .layout import Layout


def report_of(group: Group, claimed: Mapping[str, ReportKind]) -> str:
    """The report kind of a group: the most general of its statements', exact only where every total is."""
    kinds = [claimed[statement] for stage in group.statements for statement in stage if statement in claimed]
    soft = next((kind.name for kind in kinds if kind.soft), None)
    if soft is not None:
        return soft
    exact = bool((group.low == group.high).all())
    return (
        "exact" if exact else max((k for k in kinds if k.name != "exact"), key=lambda kind: kind.order).name
    )


def parts_of(group: Group, panel: Panel, analysis: Analysis) -> tuple[str, ...]:
    """The path and part kinds that shape a group, in the order in which they apply."""
    return tuple(kind.name for kind in catalogue.part_kinds() if kind.applies(group, panel, analysis))


def _size_class(cells: int) -> int:
    """Cells are padded to 1, 4, 16, 64, …: few shapes to compile, little waste."""
    size = 1
    while size < cells:
        size *= 4
    return size


def has_ratio(group: Group, panel: Panel) -> bool:
    """Is some step on the group's paths a ratio?"""
    steps = panel.funnel.steps
    last = max(max(group.stages), int(group.end.max()))
    if group.part >= 0 and group.start[0] == last:
        return False  # a share of a known count
    return any(steps[i].kind == "ratio" for i in range(int(group.start.min()), last))


def bind(
    analysis: Analysis, panel: Panel, layout: Layout, claimed: Mapping[str, ReportKind]
) -> tuple[Batch, ...]:
    """Batches of all groups.

    Parameters
    ----------
    analysis : Analysis
    panel : Panel
    layout : Layout
    claimed : mapping of statement id to the report kind that claims it
    """
    shelves: dict[tuple[str, tuple[str, ...], bool, bool, bool, int, int], list[int]] = defaultdict(list)
    behind = {number: q for q, number in enumerate(i for i, g in enumerate(analysis.groups) if g.part >= 0)}
    kinds = [parts_of(group, panel, analysis) for group in analysis.groups]
    for number, group in enumerate(analysis.groups):
        ratio = has_ratio(group, panel)
        key = (
            report_of(group, claimed),
            # Kinds act on the groups of a ratio path one by one, so that one batch holds them all.
            () if ratio else kinds[number],
            ratio,
            bool((group.end >= 0).any()),
            group.members is not None,
            len(group.stages),
            _size_class(len(group.cells) if group.part < 0 else 1),
        )
        shelves[key].append(number)
    batches = []
    for (report, _, ratio, end, _, depth, _), numbers in shelves.items():
        groups = [analysis.groups[number] for number in numbers]
        used = {name for number in numbers for name in kinds[number]}
        names = tuple(kind.name for kind in catalogue.kinds() if kind.name in used)
        batch = _stack(report, names, ratio, end, depth, numbers, groups, layout, behind)
        batch = replace(batch, kinds=tuple(kinds[number] for number in numbers))
        for name in batch.parts:
            kind = catalogue.kind(name)
            assert isinstance(kind, PartKind)
            batch = kind.bind(batch, groups, panel, analysis)
        batches.append(batch)
    return tuple(batches)


def _ids(groups: Sequence[Group]) -> tuple[str, ...]:
    """One joined id a group."""
    return tuple(" + ".join(sorted({s for stage in group.statements for s in stage})) for group in groups)


def _stack(
    report: str,
    parts: tuple[str, ...],
    ratio: bool,
    end: bool,
    depth: int,
    numbers: Sequence[int],
    groups: Sequence[Group],
    layout: Layout,
    behind: Mapping[int, int],
) -> Batch:
    """Pad the groups of one shelf to common arrays."""
    count, cells = len(groups), max(len(group.cells) if group.part < 0 else 1 for group in groups)
    last = [np.where(group.end >= 0, group.end, max(group.stages)) for group in groups]
    whole = [(stop - group.start).max() for stop, group in zip(last, groups, strict=True) if group.part < 0]
    length = max([1, *map(int, whole)])
    slots = np.zeros((count, cells, length), dtype=np.int32)
    segment = np.full((count, cells, length), -1, dtype=np.int8)
    step = np.full((count, cells, length), -1, dtype=np.int8)
    mask = np.zeros((count, cells), dtype=bool)
    n = np.zeros((count, cells))
    for row, (group, stop) in enumerate(zip(groups, last, strict=True)):
        if group.part >= 0:
            # A part of an unsplit total: one entry behind the field, which stands for the whole path.
            mask[row, 0], n[row, 0] = True, group.n[0]
            slots[row] = layout.steps * layout.size + behind[numbers[row]]
            segment[row, :, 0], step[row, :, 0] = 0, max(group.stages[0] - 1, 0)
            continue
        size = len(group.cells)
        mask[row, :size] = True
        n[row, :size] = group.n
        # A padded cell repeats a real slot with n = 0: it reads something finite and contributes nothing.
        slots[row] = layout.slot(min(int(group.start[0]), layout.steps - 1), group.cells[:1])[0]
        for column in range(size):
            for place, at in enumerate(range(int(group.start[column]), int(stop[column]))):
                slots[row, column, place] = layout.slot(at, group.cells[column : column + 1])[0]
                step[row, column, place] = at
                segment[row, column, place] = sum(stage <= at for stage in group.spoken)
        if size < cells:
            segment[row, size:] = segment[row, 0]
            step[row, size:] = step[row, 0]
            slots[row, size:] = slots[row, 0]
    return Batch(
        report=report,
        parts=parts,
        slots=slots,
        segment=segment,
        step=step,
        ratio=ratio,
        end=end,
        mask=mask,
        n=n,
        low=np.array([group.low for group in groups], dtype=float).reshape(count, depth),
        high=np.array([group.high for group in groups], dtype=float).reshape(count, depth),
        groups=tuple(numbers),
        statement_id=_ids(groups),
        members=_members(groups, cells),
    )


def _members(groups: Sequence[Group], cells: int) -> Bools | None:
    """Which cells each of the totals that cross is over, padded to a common number of cells."""
    if groups[0].members is None:
        return None
    members = np.zeros((len(groups), len(groups[0].stages), cells), dtype=bool)
    for row, group in enumerate(groups):
        members[row, :, : len(group.cells)] = group.members
    return members
