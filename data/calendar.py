"""Periods: labels, spans of days, and the period axis with what lies on it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Literal

from .axes import Axis, Node
from .names import ROOT

Grain = Literal["year", "quarter"]
FIRST_YEAR, LAST_YEAR = 1900, 2100
_LABEL = re.compile(r"([0-9]{4})(?:Q([1-4]))?")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")
_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days + 1

    @cached_property
    def label(self) -> str:
        """``2024``, ``2024Q3``, or ``2020-01-01..2022-12-31`` where it is neither a year nor a quarter."""
        for candidate in (year(self.start.year), quarter(self.start.year, (self.start.month + 2) // 3)):
            if (candidate.start, candidate.end) == (self.start, self.end):
                return _label(candidate)
        return f"{self.start.isoformat()}..{self.end.isoformat()}"

    @property
    def grain(self) -> Grain | None:
        """``year`` or ``quarter`` for a calendar one; None for any other span."""
        if ".." in self.label:
            return None
        return "quarter" if "Q" in self.label else "year"


def _label(span: Span) -> str:
    whole = (span.start.month, span.end.month) == (1, 12)
    return f"{span.start.year}" if whole else f"{span.start.year}Q{(span.start.month + 2) // 3}"


def year(number: int) -> Span:
    """A calendar year."""
    return Span(date(number, 1, 1), date(number, 12, 31))


def quarter(number: int, which: int) -> Span:
    """A calendar quarter, ``which`` from 1 to 4."""
    month = 3 * which
    after = date(number + (month == 12), month % 12 + 1, 1)
    return Span(date(number, month - 2, 1), after - _DAY)


@lru_cache(maxsize=4096)
def parse_period(text: str) -> Span | None:
    """Read ``2024`` or ``2024Q3``; None for the literal ``all``.

    Raises
    ------
    ValueError
        With a sentence that says what to write instead.
    """
    if text == ROOT:
        return None
    match = _LABEL.fullmatch(text)
    if match is None:
        compact = re.sub(r"[\s\-_/.]", "", text).upper()
        hint = f", here {compact}" if _LABEL.fullmatch(compact) and len(compact) > 4 else ""
        raise ValueError(f"write a year as 2024 and a quarter as 2024Q3{hint}")
    number = int(match[1])
    if not FIRST_YEAR <= number <= LAST_YEAR:
        raise ValueError(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return quarter(number, int(match[2])) if match[2] else year(number)


def parse_date(text: str, end: bool = False) -> date:
    """Read ``2024-03-31``; ``2024-03`` and ``2024`` mean the first day, or with ``end`` the last.

    Raises
    ------
    ValueError
        With a sentence that says what to write instead.
    """
    match = _DATE.fullmatch(text.removesuffix(" 00:00:00"))
    if match is None:
        raise ValueError("write a date as 2024-03-31")
    number, month, day = (int(part) if part else None for part in match.groups())
    if number is None or not FIRST_YEAR <= number <= LAST_YEAR:
        raise ValueError(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    try:
        if day is not None:
            return date(number, month or 1, day)
        if not end:
            return date(number, month or 1, 1)
        last = month or 12
        return date(number + (last == 12), last % 12 + 1, 1) - _DAY
    except ValueError as error:
        raise ValueError(f"no such day in the calendar ({error})") from error


@dataclass(frozen=True)
class Placement:
    """Where a span lies on the period axis: a node, or None with the reason; ``note`` when it was shifted."""

    node: str | None
    reason: str = ""
    shifted: bool = False


@dataclass(frozen=True)
class Calendar:
    """The period axis and the days it covers.

    Parameters
    ----------
    grain : {"year", "quarter"}
        What the leaves are.
    extent : Span or None
        From the first day of the first leaf to the last day of the last; None when no date is known.
    axis : Axis
        all > 2024 for years, all > 2024 > 2024Q1 for quarters; every leaf between the first and the last
        exists. The root alone when the statements share one span that is neither.
    """

    grain: Grain
    extent: Span | None
    axis: Axis

    def place(self, span: Span | None) -> Placement:
        """The node that covers exactly a span (None: the root).

        A twelve-month span that is not a calendar year belongs, on a year axis, to the year that holds most
        of its days, the earlier one of a tie.
        """
        if span is None or (span == self.extent and span.label not in self.axis.by_name):
            return Placement(ROOT)
        if span.label in self.axis.by_name and self._whole(span):
            return Placement(span.label)
        home = _home(span) if self.grain == "year" else None
        if home is not None and str(home) in self.axis.by_name:
            return Placement(str(home), f"{span.label} counted as {home}, which holds most of its days", True)
        if self._outside(span if home is None else year(home)):
            ends = f"{self.axis.leaves[0]} to {self.axis.leaves[-1]}"
            return Placement(None, f"the period {span.label} lies outside the period axis, {ends}")
        return Placement(
            None, f"the period {span.label} ({span.days} days) is no node of the {self.grain} axis"
        )

    def _outside(self, span: Span) -> bool:
        return self.extent is not None and (span.end < self.extent.start or span.start > self.extent.end)

    def _whole(self, span: Span) -> bool:
        return self.extent is not None and self.extent.start <= span.start and span.end <= self.extent.end


def _home(span: Span) -> int | None:
    """The calendar year of a twelve-month span (52 or 53 weeks count as one)."""
    if not 364 <= span.days <= 371 or span.grain is not None:
        return None
    first = (date(span.start.year, 12, 31) - span.start).days + 1
    return span.start.year if 2 * first >= span.days else span.end.year


def grain_of(spans: Iterable[Span | None]) -> Grain:
    """``quarter`` when any span is a calendar quarter, else ``year``."""
    return "quarter" if any(span is not None and span.grain == "quarter" for span in spans) else "year"


def build_calendar(
    spans: Iterable[Span | None], grain: Grain, ends: tuple[Span | None, Span | None] = (None, None)
) -> Calendar:
    """The period axis that statements over these spans need.

    Parameters
    ----------
    spans : iterable of Span or None
        None is the root and asks for nothing.
    grain : {"year", "quarter"}
    ends : pair of Span or None
        The first and the last leaf, whatever the statements reach to; None where they decide.
    """
    distinct = {span for span in spans if span is not None}
    floor = ends[0].start if ends[0] is not None else date.min
    ceiling = ends[1].end if ends[1] is not None else date.max
    covered = [
        kept
        for span in distinct
        if (kept := _covered(span, grain)) is not None and floor <= kept.start and kept.end <= ceiling
    ]
    covered += [end for end in ends if end is not None]
    if not covered:
        extent = next(iter(distinct)) if len(distinct) == 1 else None
        return Calendar(grain, extent, Axis("period", (Node(ROOT, _root_label(extent), None),)))
    extent = Span(min(span.start for span in covered), max(span.end for span in covered))
    nodes = [Node(ROOT, _root_label(extent), None)]
    for number in range(extent.start.year, extent.end.year + 1):
        inside = [
            _label(quarter(number, which))
            for which in range(1, 5)
            if extent.start <= quarter(number, which).start <= extent.end
        ]
        # A year at the edge that lacks quarters must not be read as a whole year.
        part = (
            f"{number} ({inside[0][4:]}–{inside[-1][4:]})"
            if len(inside) > 1
            else f"{number} ({inside[0][4:]})"
        )
        nodes.append(Node(str(number), str(number) if len(inside) == 4 else part, ROOT))
        if grain == "quarter":
            nodes.extend(Node(name, f"{name[:4]} {name[4:]}", str(number)) for name in inside)
    return Calendar(grain, extent, Axis("period", tuple(nodes)))


def _covered(span: Span, grain: Grain) -> Span | None:
    """The days of the leaves that a span asks for; None when it is no node."""
    if span.grain == "year" or span.grain == grain:
        return span
    home = _home(span) if grain == "year" else None
    return None if home is None else year(home)


def _root_label(extent: Span | None) -> str:
    return "All periods" if extent is None else f"All periods ({extent.label.replace('..', ' to ')})"
