"""Vintages: which counts depend on when they were known, and how old each cohort then was.

What had become of a cohort by one date and by a later one are no rival facts: the later count holds the earlier. Counts
older than the horizon are complete and the analyser's; all others are set aside and put together as increments by lag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from ..data.calendar import parse_period
from ..data.errors import InputError
from ..data.names import ROOT
from ..data.panel import Panel
from ..data.statement import Statement
from .contract import Analysis, Decision, Group, Ints
from .developing import Developing
from .occurrences import Occurrence, lags_of, period_groups, read_occurrence
from .vintage import Vintage

Ranges = Mapping[str, tuple[float, float]]


class Vintages:
    """The counts of a panel that depend on when they were known.

    Parameters
    ----------
    panel : Panel
    ranges : mapping of statement id to its inclusive range
    horizon : int
        Periods that a step can take.
    publication : int
        Number of periods in which events reach the tables, 1 for at once.
    """

    def __init__(self, panel: Panel, ranges: Ranges, horizon: int, publication: int) -> None:
        self._panel = panel
        self._horizon, self._delay = horizon, publication - 1
        self._periods = [_ordinal(name) for name in panel.axes.period.leaves]
        self._families: dict[tuple[int, bytes], list[Vintage]] = defaultdict(list)
        self._closings: dict[tuple[int, bytes], list[Vintage]] = defaultdict(list)
        self._periodic: list[Occurrence] = []
        self._left: dict[str, str] = {}
        for statement in panel.statements:
            if statement.id not in ranges or statement.stage == panel.funnel.stages[0]:
                continue
            if not horizon and statement.closed:
                self._left[statement.id] = (
                    "closed units are read of cohorts that are waited for: kind.immature.horizon"
                )
            elif horizon:
                self._place(statement, *ranges[statement.id], publication)

    def _place(self, statement: Statement, low: float, high: float, publication: int) -> None:
        """Sort one statement: a cohort at a date, outcomes by their own dates, or neither."""
        panel, stage = self._panel, self._panel.funnel.index(statement.stage)
        arranged = panel.arrangement is not None and statement.id in panel.arrangement.parts
        own = statement.origin == "referred_only" and not statement.shifted and not arranged
        vintage = self._read(statement, low, high, stage * self._horizon + publication - 1)
        if statement.closed:
            if vintage is None or statement.clock != "cohort" or not own:
                self._left[statement.id] = (
                    "closed units are read of cohorts of the funnel's own cases by a date"
                )
            else:
                self._closings[stage, panel.cells(statement).tobytes()].append(vintage)
            return
        if vintage is None:
            return
        if statement.clock == "cohort" and own:
            self._families[stage, panel.cells(statement).tobytes()].append(vintage)
        elif statement.clock != "cohort" and own and (publication > 1 or vintage.ages.min() < 0):
            self._left[statement.id] = "some of its outcomes had not reached the tables by its date"
        elif statement.clock != "cohort" and own:
            self._periodic.append(read_occurrence(panel, statement, low, high))
        elif statement.clock != "cohort" or not vintage.complete:
            self._left[statement.id] = (
                "only counts of the funnel's own cases of a whole place are read by their lags"
            )

    def _read(self, statement: Statement, low: float, high: float, full: int) -> Vintage | None:
        """None where the axis has no dates."""
        reached = _last_whole(statement.as_of, self._panel.axes.period.leaves[0])
        periods = np.unravel_index(self._panel.cells(statement), self._panel.axes.shape)[2]
        own = [self._periods[t] for t in periods]
        if reached is None or None in own:
            return None
        ages = reached - np.array(own, dtype=np.int64)
        return Vintage(statement, low, high, ages, bool(ages.min() >= full))

    @property
    def aside(self) -> frozenset[str]:
        """Counts of young cohorts, all but the latest of the complete ones, by period, and of closed units."""
        names = {*self._left, *(one.statement.id for one in self._periodic)}
        names |= {v.name for family in self._closings.values() for v in family}
        for family in self._families.values():
            complete = [v.statement.as_of for v in family if v.complete]
            names |= {v.name for v in family if not v.complete or v.statement.as_of < max(complete)}
        return frozenset(names)

    @property
    def windows(self) -> Iterator[tuple[Statement, Ints, Ints, Ints]]:
        """Each statement with its cells, and the first and last lag that it holds of each."""
        for family in (*self._families.values(), *self._closings.values()):
            for vintage in family:
                cells = self._panel.cells(vintage.statement)
                yield vintage.statement, cells, np.zeros_like(vintage.ages), vintage.ages
        for one in self._periodic:
            yield one.statement, *lags_of(one, self._panel)

    def groups(self, analysis: Analysis, revisions: str) -> tuple[list[Group], list[Decision]]:
        """The groups of the counts set aside.

        Parameters
        ----------
        analysis : Analysis
            Of all other statements.
        revisions : {"refuse", "latest", "model"}
            Where a count falls from one date to the next: refuse such counts, drop those before, or model them.

        Raises
        ------
        InputError
            Counts that fall, exceed their denominators, or go on changing beyond the horizon.
        """
        maker = Developing(self._panel, analysis, self._horizon, revisions, self._delay)
        for key, family in sorted(self._families.items(), key=lambda item: _order(item[0], item[1])):
            maker.add(key[0], family, self._closings.get(key, ()))
        for key, closings in self._closings.items():
            if key not in self._families:
                maker.add(key[0], (), closings)
        groups, decisions = period_groups(self._panel, analysis, self._periodic, self._horizon, maker)
        maker.refuse_ratios()
        if maker.problems:
            raise InputError(dict.fromkeys(maker.problems))
        left = [Decision(name, "unused", reason) for name, reason in self._left.items()]
        return [*maker.groups, *groups], [*maker.decisions, *decisions, *left]


def _order(key: tuple[int, bytes], family: Sequence[Vintage]) -> tuple[int, int]:
    """By stage, cells before sums of them."""
    return key[0], len(family[0].ages)


def _ordinal(name: str) -> int | None:
    """Number of a period among all of its length; None for one that has no dates."""
    try:
        span = parse_period(name)
    except ValueError:
        return None
    if span is None or name == ROOT:
        return None
    return span.start.year * 4 + span.start.month // 3 if span.grain == "quarter" else span.start.year


def _last_whole(as_of: str, leaf: str) -> int | None:
    """Number of the last period of a leaf's length that had ended at a date."""
    try:
        span, after = parse_period(leaf), date.fromisoformat(as_of) + timedelta(days=1)
    except ValueError:
        return None
    if span is None:
        return None
    return (after.year * 4 + (after.month - 1) // 3 if span.grain == "quarter" else after.year) - 1
