"""From groups to batches: groups of one shape stand together, as arrays an engine can evaluate at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..data.lazy import shared
from ..data.panel import Panel
from . import catalogue
from .batches import Batch
from .contract import Analysis, Bools, Group, Ints, PartKind, ReportKind
from .layout import Layout


def report_of(group: Group, claimed: Mapping[str, ReportKind]) -> str:
    """The report kind of a group: the most general of its statements', exact only where every total is."""
    kinds = [claimed[statement] for stage in group.statements for statement in stage if statement in claimed]
    soft = next((kind.name for kind in kinds if kind.soft), None)
    if soft is not None:
        return soft
    # Most groups are of one cell: short arrays are read as lists, for NumPy takes longer to start.
    exact = group.low.tolist() == group.high.tolist()
    return (
        "exact" if exact else max((k for k in kinds if k.name != "exact"), key=lambda kind: kind.order).name
    )


def parts_of(group: Group, panel: Panel, analysis: Analysis) -> tuple[str, ...]:
    """The path and part kinds that shape a group, in the order in which they apply."""
    return tuple([kind.name for kind in catalogue.part_kinds() if kind.applies(group, panel, analysis)])


def _size_class(cells: int) -> int:
    """Cells are padded to 1, 4, 16, 64, …: few shapes to compile, little waste."""
    size = 1
    while size < cells:
        size *= 4
    return size


def has_ratio(group: Group, panel: Panel) -> bool:
    """Is some step on the group's paths a ratio?"""
    steps = panel.funnel.steps
    if all(step.kind == "probability" for step in steps):
        return False
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
    behind: dict[int, int] = {}
    kinds = shared(parts_of(group, panel, analysis) for group in analysis.groups)
    for number, group in enumerate(analysis.groups):
        if group.part >= 0:
            behind[number] = len(behind)
        ratio = has_ratio(group, panel)
        key = (
            report_of(group, claimed),
            # Kinds act on the groups of a ratio path one by one, so that one batch holds them all.
            () if ratio else kinds[number],
            ratio,
            max(group.end.tolist()) >= 0,
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
    row, column, cell, start, stop, spoken = _paths(groups)
    length = max(1, int((stop - start).max(initial=0)))
    slots = np.zeros((count, cells, length), dtype=np.int32)
    segment = np.full((count, cells, length), -1, dtype=np.int8)
    step = np.full((count, cells, length), -1, dtype=np.int8)
    mask = np.zeros((count, cells), dtype=bool)
    n = np.zeros((count, cells))
    for place, group in enumerate(groups):
        if group.part >= 0:
            # A part of an unsplit total: one entry behind the field, which stands for the whole path.
            mask[place, 0], n[place, 0] = True, group.n[0]
            slots[place] = layout.steps * layout.size + behind[numbers[place]]
            segment[place, 0, 0], step[place, 0, 0] = 0, max(group.stages[0] - 1, 0)
    mask[row, column] = True
    n[row, column] = np.concatenate([np.zeros(0), *(group.n for group in groups if group.part < 0)])
    # Behind the end of a path stands a real slot: it reads something finite and contributes nothing.
    lead = column == 0
    slots[row[lead]] = layout.slot(np.minimum(start[lead], layout.steps - 1), cell[lead])[:, None, None]
    for place in range(length):
        at = start + place
        on = at < stop
        here = (row[on], column[on], place)
        slots[here] = layout.slot(at[on], cell[on])
        step[here] = at[on]
        segment[here] = (spoken[on] <= at[on, None]).sum(axis=1)
    # A padded cell repeats the first one with n = 0.
    row, column = np.nonzero(~mask)
    for array in (slots, segment, step):
        array[row, column] = array[row, 0]
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


def _paths(groups: Sequence[Group]) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """The paths of all cells of all groups, parts of unsplit totals left out, one after another, (K,) each.

    Row and column of the batch, cell, first stage, stage at which the path ends, and the stages spoken of, (K, D).
    """
    own = [(row, group) for row, group in enumerate(groups) if group.part < 0]
    none = np.zeros(0, dtype=np.int64)
    size = np.array([len(group.cells) for _, group in own], dtype=np.int64)
    row = np.repeat(np.array([row for row, _ in own], dtype=np.int64), size)
    column = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    cell = np.concatenate([none, *(group.cells for _, group in own)])
    start = np.concatenate([none, *(group.start for _, group in own)])
    end = np.concatenate([none, *(group.end for _, group in own)])
    last = np.repeat(np.array([max(group.stages) for _, group in own], dtype=np.int64), size)
    spoken = np.array([group.spoken for _, group in own], dtype=np.int64)
    return row, column, cell, start, np.where(end >= 0, end, last), np.repeat(spoken, size, axis=0)


def _members(groups: Sequence[Group], cells: int) -> Bools | None:
    """Which cells each of the totals that cross is over, padded to a common number of cells."""
    if groups[0].members is None:
        return None
    members = np.zeros((len(groups), len(groups[0].stages), cells), dtype=bool)
    for row, group in enumerate(groups):
        members[row, :, : len(group.cells)] = group.members
    return members
