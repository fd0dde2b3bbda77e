"""Cohorts that are still developing: one density for all dates of the same cells.

The counts before a complete one divide it by lag. Of a younger cohort all counts together are one multinomial, those of
its closed units with them: it goes through the units not closed by the first date, by the second, …, those converted by
the last date, by the one before. Of units left without the outcome in the end, closings say when they were closed. A
count out of units whose own number is known by dates is a sum over when those units had come, so that no two densities
share unobserved counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..data.errors import Problem
from ..data.panel import Panel
from .clashes import place, rows
from .contract import Analysis, Floats, Group, Ints
from .lags import EVER, Lags
from .revised import chain
from .sums.op import too_wide
from .vintage import Account, Vintage, came


class Developing(Account):
    """Groups of vintages, one set of cells at a time, earlier stages first.

    Parameters
    ----------
    panel : Panel
    analysis : Analysis
        Of all other statements.
    horizon : int
    revisions : {"refuse", "latest", "model"}
        Where a count falls from one date to the next: refuse such counts, drop those before, or model them.
    delay : int
        Periods after which every event is in the tables.

    Attributes
    ----------
    groups : list of Group
    spoken : (stages, cells) bool
        Counts that some density speaks of, or that are known.
    dated : mapping of (stage, cell) to its counts by date, the latest first
    per_unit : mapping of stage to the statements of young cohorts whose outcomes can be several a unit
    """

    def __init__(
        self, panel: Panel, analysis: Analysis, horizon: int, revisions: str, delay: int = 0
    ) -> None:
        super().__init__(panel)
        self._analysis, self._horizon, self._delay = analysis, horizon, delay
        self._latest, self._model = revisions == "latest", revisions == "model"
        self.spoken = np.isfinite(analysis.counts)
        for group in analysis.groups:
            if group.origin == "referred":
                self.spoken[np.ix_(group.stages, group.cells)] = True
        self.dated: dict[tuple[int, int], list[Vintage]] = {}
        self.groups: list[Group] = []
        self.per_unit: dict[int, list[str]] = defaultdict(list)

    def add(self, stage: int, family: Sequence[Vintage], closings: Sequence[Vintage] = ()) -> None:
        """Put together the counts of the same cells at one stage, and of their units that were closed without it."""
        cells = self._panel.cells([*family, *closings][0].statement)
        complete = [v for v in family if v.complete]
        whole = max(complete, key=lambda v: v.statement.as_of, default=None)
        for vintage in complete:
            if whole is not None and vintage.statement.as_of < whole.statement.as_of:
                self._repeats(vintage, whole)
        found = self._by_date([v for v in family if not v.complete])
        ended = self._by_date(self._in_time(closings))
        if self._model:
            self.settle(ended, "closed units are read where no count is taken back", "unused")
            ended = []
        # Where an earlier count is 0 the analyser knows the later ones too.
        some = ~(self._analysis.counts[:stage, cells] == 0).any(axis=0)
        cells = cells[some]
        found, ended = ([replace(v, ages=v.ages[some]) for v in part] for part in (found, ended))
        if not found and not ended:
            return
        if not len(cells):
            self._keep(stage, cells, cells, np.zeros(0), found, self._whenever(0), ended)
            return
        count = float(self._analysis.counts[stage, cells[0]])
        if len(cells) == 1 and np.isfinite(count):
            if found:
                self._divide(stage, cells, found, count, whole)
            self._never(stage, cells, ended, count)
        elif self.spoken[stage:, cells].any():
            reason = "other counts of some of its cells are known; the two share unobserved counts"
            self.settle([*found, *ended], reason, "unused")
        else:
            self._develop(stage, cells, found, ended)

    def refuse_ratios(self) -> None:
        """Report young cohorts on ratio steps: in how many periods how much of a ratio comes is not modelled."""
        funnel = self._panel.funnel
        for stage, names in sorted(self.per_unit.items()):
            self.problems.append(
                Problem(
                    f"{funnel.stages[stage]} counts of cohorts that still develop, on a step that is a ratio",
                    rows(self._panel, names),
                    f"{len(names)} of them, out of units that can have several ({funnel.unit(funnel.stages[stage])})",
                    f"a probability step, or cohorts older than {self._full(stage)} periods",
                    "leave them out with [[exclude]], read every count as complete with kind.immature.horizon = 0, or "
                    "say in [funnel] assume_one_to_one why a unit has one at most",
                )
            )

    def _in_time(self, closings: Sequence[Vintage]) -> list[Vintage]:
        """Counts of closed units up to the horizon: when those were closed that are closed later is not modelled."""
        late = [v for v in closings if v.ages.max() > self._horizon]
        self.settle(late, "it also holds units that were closed after the horizon", "unused")
        return [v for v in closings if v not in late]

    def _repeats(self, vintage: Vintage, whole: Vintage) -> None:
        if vintage.low <= whole.high and (vintage.high >= whole.low or self._latest):
            self.settle([vintage], f"repeats {self.rows(whole)}", "dropped", whole)
        elif vintage.low > whole.high and self._latest:
            self.settle([vintage], f"corrected downwards by {self.rows(whole)}", "dropped", whole)
        elif vintage.low > whole.high:
            self.falls(vintage, self.said(whole), whole)
        else:
            self.problem(
                f"{vintage.statement.stage} counts go on rising beyond the horizon",
                (vintage, whole),
                f"{self.said(vintage)}, then {self.said(whole)}",
                f"counts that stand still once {self._horizon} periods a step have passed",
                "raise kind.immature.horizon, or leave one of them out with [[exclude]]",
            )

    def _by_date(self, family: Sequence[Vintage]) -> list[Vintage]:
        """One count a date, the latest first; none from before the end of a cohort's period, none to be dropped."""
        dates: dict[bytes, list[Vintage]] = defaultdict(list)
        for vintage in family:
            if vintage.ages.min() < 0:
                reason = f"the period of a cohort had not ended on {vintage.statement.as_of}"
                self.settle([vintage], reason, "unused")
            else:
                dates[vintage.ages.tobytes()].append(vintage)
        kept = []
        for same in dates.values():
            # Of one whole period the last date tells most; what a plan prefers goes before.
            same.sort(key=lambda v: (bool(v.statement.preferred), v.statement.as_of, v.low - v.high))
            kept.append(same[-1])
            reason = f"another count of the same whole period, {self.rows(same[-1])}, is read"
            self.settle(same[:-1], reason, "dropped", same[-1])
        kept.sort(key=lambda v: -int(v.ages[0]))
        for at, (later, earlier) in enumerate(pairwise(kept)):
            if earlier.low > later.high:
                if self._model:
                    continue
                if not self._latest:
                    self.falls(earlier, self.said(later), later)
                self.settle(kept[at + 1 :], f"corrected downwards by {self.rows(later)}", "dropped", later)
                return kept[: at + 1]
        return kept

    def _divide(
        self, stage: int, cells: Ints, found: list[Vintage], count: float, whole: Vintage | None
    ) -> None:
        """The complete count is known: the counts before it say at which lags it came."""
        if self._model:
            self._correct(stage, cells, self._analysis.counts[stage - 1, cells], (count, EVER), found)
        elif found[0].low > count:
            if not self._latest:
                self.falls(found[0], f"{count:,.0f} in the end", whole)
            self.settle(found, "corrected downwards by the complete count", "dropped")
        elif count == 0:
            self.settle(found, "the complete count is 0", "dropped")
        else:
            start = np.full(1, stage, dtype=np.int64)
            self._keep(stage, cells, start, np.array([count]), found, self._whenever(1))
        known = [] if self._model else found
        if whole is not None and (self._model or (stage, int(cells[0])) in self.dated):
            self.dated[stage, int(cells[0])] = [replace(whole, ages=np.array([EVER])), *known]

    def _correct(
        self, stage: int, cells: Ints, n: Floats, whole: tuple[float, int], found: list[Vintage]
    ) -> None:
        """Earlier counts of one cell, of which any may have been taken back; given the last, ``whole`` with its age."""
        units, step = float(n[0]), self._panel.funnel.step(stage - 1, stage)
        if step.kind == "ratio" or not np.isfinite(units) or any(v.low != v.high for v in found):
            self.settle(found, self._only_latest(stage), "unused")
            return
        high = max(found, key=lambda v: v.low, default=None)
        if high is not None and high.low > units:
            self.above(high.statement, [high.name], high.low, units)
            return
        told = [(v.name, v.low, int(v.ages[0])) for v in found]
        self.groups += chain(stage, int(cells[0]), units, whole, told, self._horizon, self._full(stage))
        for vintage in found:
            self.settle([vintage], f"{came(vintage)}, of which some may have been taken back", "used")

    def _only_latest(self, stage: int) -> str:
        before = self._panel.funnel.stages[stage - 1]
        return f"corrections are modelled of exact counts of single cells out of {before}; only the latest is read"

    def _full(self, stage: int) -> int:
        """The age at which every outcome is in the tables."""
        return stage * self._horizon + self._delay

    def _never(self, stage: int, cells: Ints, ended: list[Vintage], count: float) -> None:
        """The complete count is known: of the units left without it, closings say when they were closed."""
        before, step = self._analysis.counts[stage - 1, cells], self._panel.funnel.step(stage - 1, stage)
        left = before - count
        if not ended:
            return
        if step.kind == "ratio" or not np.isfinite(left).all():
            self.settle(ended, self._not_out_of(stage), "unused")
        elif left[0] == 0:
            self.settle(ended, "no unit is left without the outcome", "dropped")
        else:
            start = np.full(1, stage, dtype=np.int64)
            self._keep(stage, cells, start, left, [], self._whenever(1), ended)

    def _not_out_of(self, stage: int) -> str:
        before = self._panel.funnel.stages[stage - 1]
        return (
            f"closed units are read out of {before} counts that are known and complete, on probability steps"
        )

    def _develop(self, stage: int, cells: Ints, found: list[Vintage], ended: list[Vintage]) -> None:
        """Counts out of the nearest earlier stage that is known, complete or by its own dates."""
        stages = self._panel.funnel.stages
        spoken = self.spoken[:stage, cells]
        start = stage - 1 - np.argmax(spoken[::-1], axis=0)
        dated = any((int(a), int(c)) in self.dated for a, c in zip(start, cells, strict=True))
        if ended and (dated or (start < stage - 1).any()):
            self.settle(ended, self._not_out_of(stage), "unused")
            ended = []
        if not found and not ended:
            return
        both = [*found, *ended]
        if not spoken.any(axis=0).all():
            lacking = cells[~spoken.any(axis=0)]
            self.settle(both, f"no {stages[0]} count is known for {place(self._panel, lacking)}", "unused")
        elif any(self._panel.funnel.step(int(a), stage).kind == "ratio" for a in np.unique(start)):
            self.per_unit[stage] += [v.name for v in both]
        elif dated:
            self._out_of_dated(stage, int(start[0]), cells, found)
        elif np.isnan(self._analysis.counts[start, cells]).any():
            reason = "an earlier stage is known in sums only; the two share unobserved counts"
            self.settle(both, reason, "unused")
        else:
            n = self._analysis.counts[start, cells]
            read, before = (found[:1], found[1:]) if self._model else (found, [])
            self._keep(stage, cells, start, n, read, self._whenever(len(cells)), ended)
            if len(cells) == 1 and start[0] == stage - 1 and all(v.low == v.high for v in read):
                latest = [(v.low, int(v.ages[0])) for v in read]
                if latest and latest[0][0] <= n[0]:
                    self._correct(stage, cells, n, latest[0], before)
            else:
                self.settle(before, self._only_latest(stage), "unused")

    def _out_of_dated(self, stage: int, start: int, cells: Ints, found: list[Vintage]) -> None:
        """The latest count of one cell, out of units that had come by each date of an earlier stage."""
        name = self._panel.funnel.stages[start]
        before = list(reversed(self.dated[start, int(cells[0])])) if len(cells) == 1 else []
        latest, ages = found[0], [int(v.ages[0]) for v in before]
        if not before or any(v.low != v.high for v in before):
            reason = f"its {name} counts are not each known exactly; the two share unobserved counts"
            self.settle(found, reason, "unused")
            return
        if latest.ages[0] > ages[-1]:
            self.settle(
                found, f"how many had reached {name} by {latest.statement.as_of} is not known", "unused"
            )
            return
        n = np.diff([0.0, *(v.low for v in before)])
        entered = np.array([[a + 1, b] for a, b in pairwise([-1, *ages])], dtype=np.int64)
        there = entered[:, 0] <= latest.ages[0]
        reason = f"the {name} count is known by dates: only the latest count out of it is read"
        self.settle(found[1:], reason, "unused", latest)
        size = int(there.sum())
        one = replace(latest, ages=np.repeat(latest.ages, size))
        self._keep(stage, np.repeat(cells, size), np.full(size, start), n[there], [one], entered[there])

    def _whenever(self, size: int) -> Ints:
        """Units that reached their stage at whatever lag."""
        return np.tile(np.array([0, EVER], dtype=np.int64), (size, 1))

    def _keep(
        self,
        stage: int,
        cells: Ints,
        start: Ints,
        n: Floats,
        found: list[Vintage],
        entered: Ints,
        ended: Sequence[Vintage] = (),
    ) -> None:
        """The group, unless nothing or too much is open: ``found`` converted and ``ended`` closed, the latest first."""
        units, vary = float(n.sum()), n > 0
        closed = list(reversed(ended))
        both = [*closed, *found]
        low = np.array([units - v.high for v in closed] + [v.low for v in found]).clip(0.0)
        high = np.array([units - v.low for v in closed] + [min(v.high, units) for v in found])
        gone = sum(part[0].low for part in (found, ended) if part)
        if gone > units:
            named = [part[0] for part in (found, ended) if part]
            self.above(named[0].statement, [v.name for v in named], gone, units)
        elif not vary.any():
            self.settle(both, "its denominators are 0", "dropped")
        elif too_wide(low, high):
            self.settle(both, "several of its counts are known only roughly", "unused")
        else:
            last = np.stack([v.ages[vary] for v in both], axis=1)
            left = None
            if self._model and (start < stage).all():
                left = np.maximum(self._full(stage) - last[:, 0], 0)
            lags = Lags(np.zeros_like(last), last, entered[vary], self._horizon, len(closed), left=left)
            none = np.full(int(vary.sum()), -1, dtype=np.int64)
            names = tuple((v.name,) for v in both)
            stages = (stage,) * len(both)
            self.groups.append(
                Group(cells[vary], start[vary], n[vary], none, stages, low, high, names, lags=lags)
            )
            for vintage in both:
                self.settle([vintage], came(vintage), "used")
            self.spoken[stage, cells] = True
            if found and len(np.unique(cells)) == 1:
                self.dated[stage, int(cells[0])] = found
