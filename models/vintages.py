"""Vintages: which counts depend on when they were known, and how old each cohort then was.

What had become of a cohort by one date and by a later one are no rival facts: the later count holds the earlier. Counts
older than the horizon are complete and the analyser's; all others are set aside and put together as increments by lag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from ..data.calendar import parse_period
from ..data.errors import InputError
from ..data.names import ROOT
from ..data.panel import Panel
from ..data.statement import Statement
from .contract import Analysis, Decision, Group
from .developing import Developing, Vintage

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
        self._horizon = horizon
        self._periods = [_ordinal(name) for name in panel.axes.period.leaves]
        self._families: dict[tuple[int, bytes], list[Vintage]] = defaultdict(list)
        self._mixed: list[Statement] = []
        for statement in panel.statements:
            stage = panel.funnel.index(statement.stage)
            if statement.id not in ranges or stage == 0 or statement.clock != "cohort":
                continue
            vintage = self._read(statement, *ranges[statement.id], stage * horizon + publication - 1)
            if vintage is None:
                continue
            arranged = panel.arrangement is not None and statement.id in panel.arrangement.parts
            if statement.origin == "referred_only" and not statement.shifted and not arranged:
                self._families[stage, panel.cells(statement).tobytes()].append(vintage)
            elif not vintage.complete:
                self._mixed.append(statement)

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
        """All but the latest of the complete counts of the same cells."""
        names = {statement.id for statement in self._mixed}
        for family in self._families.values():
            complete = [v.statement.as_of for v in family if v.complete]
            names |= {v.name for v in family if not v.complete or v.statement.as_of < max(complete)}
        return frozenset(names)

    @property
    def all(self) -> tuple[Vintage, ...]:
        """Every count of a cohort's own cases."""
        return tuple(vintage for family in self._families.values() for vintage in family)

    def groups(self, analysis: Analysis, latest: bool) -> tuple[list[Group], list[Decision]]:
        """The groups of the counts set aside.

        Parameters
        ----------
        analysis : Analysis
            Of all other statements.
        latest : bool
            Where a count falls from one date to the next, drop those before; else such counts are refused.

        Raises
        ------
        InputError
            Counts that fall, exceed their denominators, or go on changing beyond the horizon.
        """
        maker = Developing(self._panel, analysis, self._horizon, latest)
        for (stage, _), family in sorted(self._families.items(), key=lambda item: _order(item[0], item[1])):
            maker.add(stage, family)
        for statement in self._mixed:
            reason = (
                "a count that may hold other cases is read only when its cohorts are older than the horizon"
            )
            maker.decisions.append(Decision(statement.id, "unused", reason))
        if maker.problems:
            raise InputError(dict.fromkeys(maker.problems))
        return maker.groups, maker.decisions


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
