"""The analyser: hard statements in, known counts and groups with one density each out.

Before any sampling the statements are row-reduced: repeats dropped, totals over partly known cells replaced
by what they leave, contradictions raised with the rows named. What remains is cut into groups that share
unobserved counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..data.errors import InputError, Problem
from ..data.panel import Panel
from .clashes import SharedCounts, place, rows, settle
from .cohorts import Cohorts
from .contract import Analysis, Decision, Floats, Ints, Known
from .decisions import keep_decisions, keep_facts
from .intervals import Intervals
from .limits import most, per_unit
from .readings import Readings, Total, read_stages
from .reduce import Reduction

NAMED = 50  # statements listed beside a decision; a nation's total may have tens of thousands of parts


@dataclass(frozen=True)
class _Stage:
    """One stage after reduction, before the stages are linked."""

    state: Reduction
    ranges: tuple[Total, ...]
    unusable: tuple[Total, ...]
    refused: tuple[Problem, ...]
    reasons: Mapping[str, str]


def analyse(
    panel: Panel,
    ranges: Mapping[str, tuple[float, float]],
    loose: Mapping[str, tuple[float, float]] | None = None,
) -> Analysis:
    """Cut the hard statements of a panel into groups that share unobserved counts.

    Parameters
    ----------
    panel : Panel
    ranges : mapping of str to (float, float)
        Per statement id the inclusive integer range a hard report kind reads from it (exact: low = high; at
        least: high = inf). Statements absent from it are ignored.
    loose : mapping of str to (float, float), optional
        How far below and above the count in ``ranges`` a statement allows, where that count stands for a range.

    Returns
    -------
    Analysis
        ``counts`` also holds the zeros that follow from an earlier count of 0. ``groups`` come known counts
        first, by stage and cell, then sums by stage, smaller ones first. One decision for each statement in
        ``ranges``, in the order of the panel.

    Raises
    ------
    InputError
        Statements that contradict each other, all of them gathered.
    SharedCounts
        None do, but some share unobserved counts in a way that no one density here covers; an ``InputError``.

    Notes
    -----
    Integer row reduction; laminar sets (disjoint or nested) by subtraction. Each stage is conditioned on the nearest
    known ones around it.
    """
    size = int(np.prod(panel.axes.shape))
    counts = np.full((len(panel.funnel.stages), size), np.nan)
    known = np.zeros(counts.shape, dtype=bool)
    limit = per_unit(panel.funnel)
    last = np.full(size, -1, dtype=np.int64)
    stages: list[_Stage] = []
    for s, readings in enumerate(read_stages(panel, ranges)):
        usable = last >= 0
        before = counts[last, np.arange(size)]
        cap = np.where(usable, most(before, limit[last, s]), np.inf)
        stage = _reduce(panel, s, readings, usable, cap, loose or {})
        counts[s] = stage.state.counts
        known[s, list(stage.state.source)] = True
        last = np.where(known[s], s, last)
        stages.append(stage)

    sources = [stage.state.source for stage in stages]
    joint = {name: ids for stage in stages for name, ids in stage.state.joint.items()}
    cohorts = Cohorts(panel, counts, known, sources, joint)
    cohorts.add_known()
    sums = [
        (s, total)
        for s, stage in enumerate(stages)
        if s > 0
        for total in (*stage.state.blocks.values(), *stage.state.waiting, *stage.ranges)
    ]
    cohorts.add_sums(sums)
    problems = [clash.problem for stage in stages for clash in stage.state.clashes] + cohorts.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    refused = [problem for stage in stages for problem in stage.refused] + cohorts.refused
    if refused:
        raise SharedCounts(dict.fromkeys(refused))

    facts = keep_facts(
        Known(cell, s, float(counts[s, cell]), tuple(source[cell]))
        for s, source in enumerate(sources)
        for cell in sorted(source)
    )
    decisions = _decide(panel, stages, cohorts, sums)
    ordered = (_short(decisions[statement.id]) for statement in panel.statements if statement.id in ranges)
    return Analysis(counts, facts, cohorts.groups, keep_decisions(ordered))


def _reduce(
    panel: Panel,
    s: int,
    readings: Readings,
    usable: NDArray[np.bool_],
    cap: Floats,
    loose: Mapping[str, tuple[float, float]],
) -> _Stage:
    """Reduce one stage, again after each contradiction that a preference settles."""
    lost: dict[str, Decision] = {}
    zero = usable & (cap == 0)
    while True:
        state = Reduction(panel, s, readings, zero, loose)
        stage = _first(state, readings) if s == 0 else _later(state, readings, usable, cap)
        settled = settle(state.clashes, panel)
        if not settled:
            state.decisions.update(lost)
            return stage
        lost.update(settled)
        readings = readings.without(settled)


def _first(state: Reduction, readings: Readings) -> _Stage:
    """Only counts known exactly serve as denominators; other sums of the first stage have no density."""
    loose = [*state.blocks.values(), *state.waiting, *readings.ranges]
    for total in readings.ranges:
        left = state.less_known(total)
        if left.high < 0 or not len(left.cells):
            state.check_empty(left)
            loose = [x for x in loose if x is not total]
    return _Stage(state, (), tuple(loose), (), {})


def _later(state: Reduction, readings: Readings, usable: NDArray[np.bool_], cap: Floats) -> _Stage:
    unusable = state.retire(usable)
    ranges: list[Total] = []
    for total in readings.ranges:
        (ranges if usable[state.less_known(total).cells].all() else unusable).append(total)
    intervals = Intervals(state, ranges, cap)
    refused = tuple(intervals.refused)
    return _Stage(state, tuple(intervals.open), tuple(unusable), refused, intervals.reasons)


def _decide(
    panel: Panel, stages: Sequence[_Stage], cohorts: Cohorts, sums: Sequence[tuple[int, Total]]
) -> dict[str, Decision]:
    """One decision a statement."""
    out = dict(cohorts.decisions)
    reasons: dict[str, str] = {}
    for stage in stages:
        out.update(stage.state.decisions)
        reasons.update(stage.reasons)
    reasons.update(cohorts.reasons)
    subtracted = {name for _, total in sums if total.ids[0] not in cohorts.decisions for name in total.minus}
    served = _served(cohorts)
    for s, stage in enumerate(stages):
        starts, serves = cohorts.earlier[s].tolist(), served[s].tolist()
        for cell, ids in stage.state.source.items():
            if starts[cell] >= 0 or serves[cell] or s == 0:
                subtracted.update(ids[1:])
            if ids[0] not in out or s == 0:
                out[ids[0]] = _of_known(panel, cohorts, s, cell, starts[cell], ids, serves[cell])
    for _, total in sums:
        for name in total.ids:
            if name not in out:
                out[name] = _of_sum(panel, name, total, reasons.get(name, ""))
    for s, stage in enumerate(stages):
        for total in stage.unusable:
            for name in total.ids:
                out.setdefault(name, Decision(name, "unused", _missing(panel, cohorts, s, total)))
    for name, ids in cohorts.joint.items():
        for other in ids:
            out.setdefault(other, replace(out[name], statement=other, others=(name, *out[name].others)))
    for name in subtracted:
        if name in out and out[name].action == "unused":
            reason = f"its count is subtracted from other totals; of itself {out[name].reason}"
            out[name] = replace(out[name], action="known", reason=reason)
    return out


def _served(cohorts: Cohorts) -> NDArray[np.bool_]:
    """(stages, cells): which known counts some group is conditioned on."""
    served = np.zeros(cohorts.known.shape, dtype=bool)
    for b in range(1, len(served)):
        cells = np.flatnonzero(cohorts.known[b] & (cohorts.earlier[b] >= 0))
        served[cohorts.earlier[b, cells], cells] = True
    for group in cohorts.combined:
        if (
            len(group.cells) > 1
            or group.end[0] >= 0
            or len(group.stages) > 1
            or group.low[0] != group.high[0]
        ):
            ahead = group.end >= 0
            served[group.start, group.cells] = True
            served[group.end[ahead], group.cells[ahead]] = True
    return served


def _of_known(
    panel: Panel, cohorts: Cohorts, s: int, cell: int, start: int, ids: tuple[str, ...], served: bool
) -> Decision:
    name, others = ids[0], ids[1:]
    stages = panel.funnel.stages
    if s == 0:
        reason = (
            f"what it leaves beside {rows(panel, others)} fixes a denominator"
            if others
            else "fixes a denominator"
        )
        return Decision(name, "known", reason, others)
    if start < 0:
        lacking = _lacking(panel, s, np.array([cell]))
        if served:
            return Decision(
                name, "known", f"fixes a denominator of a later stage; has no density as {lacking}", others
            )
        return Decision(name, "unused", lacking, others)
    if cohorts.counts[start, cell] == 0:
        reason = f"the {stages[start]} count of its cell is 0, so it says nothing of the rate"
        return Decision(name, "known", reason, others)
    if others:
        return Decision(name, "residual", f"leaves one cell beside {rows(panel, others)}", others)
    return Decision(name, "used", "the count of one cell")


def _of_sum(panel: Panel, name: str, total: Total, reason: str) -> Decision:
    if total.minus:
        left = f"replaced by what it leaves beside {rows(panel, total.minus)}"
        return Decision(name, "residual", f"{reason}; {left}" if reason else left, total.minus)
    return Decision(name, "used", reason or "a sum of cells", tuple(i for i in total.ids if i != name))


def _missing(panel: Panel, cohorts: Cohorts, s: int, total: Total) -> str:
    if s > 0:
        return _lacking(
            panel, s, total.cells[(cohorts.earlier[s, total.cells] < 0) & ~cohorts.known[s, total.cells]]
        )
    form = "total" if total.exact else "range"
    return f"a {form} of the first stage does not fix the denominator of each cell"


def _lacking(panel: Panel, s: int, cells: Ints) -> str:
    stages = panel.funnel.stages[:s]
    names = stages[0] if s == 1 else f"{stages[0]} (or {', '.join(stages[1:])})"
    return f"no {names} count is known for {place(panel, cells)}"


def _short(decision: Decision) -> Decision:
    if len(decision.others) <= NAMED:
        return decision
    return replace(
        decision, others=decision.others[:NAMED], reason=f"{decision.reason} ({len(decision.others)} in all)"
    )
