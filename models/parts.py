"""Parts of unsplit totals: outcomes by offense where only the total's denominator is known.

Given the shares of the total's cells, outcomes of disjoint parts are multinomial; they are taken one after the other,
each binomial given those before it. Where the total itself is known at the part's stage, the part is a share of that
count; else it is counted out of the nearest earlier count of the total.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..data.errors import InputError, Problem
from ..data.lazy import Joined
from ..data.panel import Panel
from ..data.statement import Statement
from .clashes import rows
from .contract import Analysis, Decision, Group, GroupOrigin
from .decisions import keep_decisions
from .unsplit import Layer, layer


def add_parts(
    panel: Panel,
    merged: Analysis,
    layers: Mapping[Layer, Analysis],
    ranges: Mapping[str, tuple[float, float]],
) -> Analysis:
    """The analysis with a group for each part of an unsplit total that can stand beside the total's own.

    Parameters
    ----------
    panel : Panel
        Arranged.
    merged : Analysis
    layers : mapping of layer to its analysis
    ranges : mapping of statement id to its inclusive range
    """
    arrangement = panel.arrangement
    if arrangement is None:
        return merged
    by_total: dict[tuple[int, Layer], list[Statement]] = defaultdict(list)
    for statement in panel.statements:
        if statement.id in arrangement.parts and statement.id in ranges:
            by_total[arrangement.parts[statement.id], layer(statement)].append(statement)
    groups: list[Group] = []
    decisions, problems = list(merged.decisions), []
    spoken = {key: _spoken(layers.get(key, merged).groups) for key in {key for _, key in by_total}}
    for (pool, key), statements in by_total.items():
        analysis = layers.get(key, merged)
        adder = _Total(panel, analysis.counts[:, pool], pool, ranges, spoken[key].get(pool, ()))
        for statement in sorted(
            statements, key=lambda s: (panel.funnel.index(s.stage), _width(ranges[s.id]))
        ):
            made = adder.add(statement)
            if isinstance(made, Group):
                groups.append(made)
                reason = f"a part of the {statement.stage} counts of an unsplit total"
                decisions.append(Decision(statement.id, "used", reason))
            elif isinstance(made, Problem):
                problems.append(made)
            else:
                decisions.append(Decision(statement.id, "unused", made))
    if problems:
        raise InputError(problems)
    order = {s.id: i for i, s in enumerate(panel.statements)}
    decisions.sort(key=lambda d: order[d.statement])
    return replace(merged, groups=Joined(merged.groups, groups), decisions=keep_decisions(decisions))


def _spoken(groups: Iterable[Group]) -> Mapping[int, Collection[int]]:
    """By cell, the stages that some group speaks of."""
    stages: dict[int, set[int]] = defaultdict(set)
    for group in groups:
        for cell in group.cells.tolist():
            stages[cell].update(group.stages)
    return stages


def _width(span: tuple[float, float]) -> float:
    return span[1] - span[0]


class _Total:
    """One unsplit total, the stages at which its own groups speak of it, and the parts taken of it so far."""

    def __init__(
        self,
        panel: Panel,
        counts: np.ndarray,
        pool: int,
        ranges: Mapping[str, tuple[float, float]],
        spoken: Collection[int],
    ) -> None:
        self._panel, self._counts, self._pool, self._ranges = panel, counts, pool, ranges
        self._spoken = spoken
        self._taken: dict[int, list[tuple[np.ndarray, float]]] = defaultdict(list)
        self._closed: set[int] = set()
        self._using_up: set[int] = set()

    def add(self, statement: Statement) -> Group | Problem | str:
        """A group, or why there is none."""
        panel = self._panel
        stage = panel.funnel.index(statement.stage)
        low, high = self._ranges[statement.id]
        cells = panel.cells(statement)
        known = np.flatnonzero(np.isfinite(self._counts))
        before = known[known <= stage]
        if not len(before):
            return "no count is known of the total it is a part of"
        start = int(before[-1])
        if start < stage and (known > stage).any():
            return "the total it is a part of is known before and after, not at this stage; the three share counts"
        if any(spoken > start for spoken in self._spoken):
            # Of whom the total consists then says what becomes of it, which its own density does not know.
            return "the total it is a part of is known roughly or later too; the two share unobserved counts"
        if stage in self._closed:
            return "another part of the same total is known only roughly; the two share unobserved counts"
        taken = self._taken[stage]
        if any(np.isin(cells, other).any() for other, _ in taken):
            return "it overlaps another part of the same total"
        n = float(self._counts[start])
        ratio = any(panel.funnel.steps[i].kind == "ratio" for i in range(start, stage))
        origin = self._origin(statement, start, stage)
        # Counts that hold other cases, or several outcomes a unit, do not use up the units of the total.
        shared = not ratio and origin == "referred"
        if (lost := self._sharing(cells, stage, shared)) is not None:
            return lost
        bounded = shared or (not ratio and origin == "between")
        left = n - sum(count for _, count in taken) if shared else n
        if bounded and low > left:
            return Problem(
                f"{statement.stage} counts of parts above their total",
                rows(panel, [statement.id]),
                f"{low:,.0f} beside a total that leaves {left:,.0f}",
                "parts that sum to no more than the total",
                "name the source that wins in [[prefer]], or leave a row out with [[exclude]]",
            )
        apart = tuple(int(c) for other, _ in taken for c in other) if shared else ()
        taken.append((cells, low))
        if shared:
            self._using_up.add(stage)
        if shared and low < high:
            self._closed.add(stage)
        if left == 0:
            return "the total it is a part of is 0"
        return Group(
            cells=cells,
            start=np.array([start]),
            n=np.array([left]),
            end=np.array([-1]),
            stages=(stage,),
            low=np.array([low]),
            high=np.array([min(high, left) if bounded else high]),
            statements=((statement.id,),),
            origin=origin,
            part=self._pool,
            apart=apart,
        )

    def _sharing(self, cells: np.ndarray, stage: int, shared: bool) -> str | None:
        """Why a part cannot stand beside those of earlier stages.

        Those who reach the later stage are some of those who reached the earlier one: of overlapping parts the same
        units, and where parts use up the units of the total, what is of one is not of the other.
        """
        for earlier in (s for s in self._taken if s < stage):
            others = [other for other, _ in self._taken[earlier]]
            if any(np.array_equal(other, cells) for other in others):
                return "an earlier stage of the same part is known; the two share unobserved counts"
            overlap = any(np.isin(cells, other).any() for other in others)
            if others and (overlap or shared or earlier in self._using_up):
                return (
                    "a part of the same total is known at an earlier stage; the two share unobserved counts"
                )
        return None

    def _origin(self, statement: Statement, start: int, stage: int) -> GroupOrigin:
        if statement.origin == "referred_only" or start == stage:
            return "referred"  # within one count the parts are of one origin
        if start > 0:
            return "between"
        return "unknown" if statement.origin == "unknown" else "all_sources"
