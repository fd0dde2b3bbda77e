"""Past dates replayed: the plan fitted to what was known at each, and held against what is known now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import pandas as pd

from ...data.calendar import parse_date
from ...data.errors import InputError, Problem
from ...data.intake import read_panel
from ..many import Fits
from ..plan import Plan, to_come
from ..store.runs import Run
from .history import history, statistics, vintage

Find = Callable[[Plan], Run | None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Replay:
    """Runs of one plan on past dates.

    Parameters
    ----------
    runs : tuple of (str, Run)
        Dates, in order, and the run of what was known on each.
    skipped : tuple of (str, str)
        Dates on which the plan could not be fitted, and why.
    """

    runs: tuple[tuple[str, Run], ...]
    skipped: tuple[tuple[str, str], ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """What was first said of each number, and what is said at the last date (``HISTORY_COLUMNS``)."""
        return history([vintage(day, run) for day, run in self.runs])

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Revisions from first to last (``REVISION_STATISTICS``)."""
        return statistics(self.table)

    @property
    def unfit(self) -> bool:
        """A run did not reach its diagnostics."""
        return any(run.unfit for _, run in self.runs)


def known_dates(plan: Plan) -> list[str]:
    """Days on which numbers of a plan became known, up to its ``intake.as_of``, or to today.

    Raises
    ------
    InputError
        Every fault of the data as known at the end, or an end to come.
    """
    if late := to_come(plan):
        raise InputError(late)
    spec = plan.panel_spec()
    end = spec.as_of or date.today().isoformat()
    _, intake = read_panel(spec.model_copy(update={"as_of": end}), plan.folder)
    found = {r.statement.as_of for r in intake.records if r.status != "excluded"}
    return sorted(day for day in found if day <= end)


def chosen(dates: Sequence[str], since: str | None, every: int) -> list[str]:
    """The dates to replay: from one on, every so many, counted back from the last.

    Raises
    ------
    InputError
        Fewer than two are left, or the first is no date.
    """
    if since is not None:
        try:
            since = parse_date(since.strip()).isoformat()
        except ValueError as error:
            raise InputError(Problem("not a date", "--from", repr(since), do=str(error))) from None
    kept = [day for day in dates if since is None or day >= since][::-1][::every][::-1]
    if len(kept) < 2:
        raise InputError(
            Problem(
                "there is nothing to compare",
                "the dates on which numbers became known",
                ", ".join(dates) or "none",
                "two or more",
                "give the table a column as_of, or choose an earlier --from or a smaller --every",
            )
        )
    return kept


def replay(plans: Sequence[tuple[str, Plan]], find: Find, fits: Fits, say: Say) -> Replay:
    """Fit a plan to what was known on each of some dates.

    Parameters
    ----------
    plans : sequence of (str, Plan)
        Dates, in order, and the plan with that ``intake.as_of``.
    find : callable
        The run of a plan where it is stored.
    fits : callable
        As ``many.fit_many``.
    say : callable
        Told of every date.

    Raises
    ------
    InputError
        At fewer than two of the dates the plan can be fitted; or what fits them is gone.
    KeyboardInterrupt
        The user stopped it; runs that have finished are kept.
    """
    found: dict[str, Run | InputError] = {}

    def told(day: str, one: Run | InputError, how: str) -> None:
        found[day] = one
        words = (
            f"skipped; {_why(one)}"
            if isinstance(one, InputError)
            else f"run {one.identity}, {one.status}{how}"
        )
        say(f"Date {days.index(day) + 1} of {len(days)}, {day}: {words}")

    days, left = [day for day, _ in plans], []
    for day, plan in plans:
        try:
            stored = find(plan)
        except InputError as error:
            told(day, error, "")
            continue
        if stored is None:
            left.append((day, plan))
        else:
            told(day, stored, ", stored")
    if left:
        say(f"To be fitted: {', '.join(day for day, _ in left)} …")
    for number, one in fits([plan for _, plan in left]):
        told(left[number][0], one, "")
    runs = [(day, run) for day in days if isinstance(run := found[day], Run)]
    skipped = [(day, _why(fault)) for day in days if isinstance(fault := found[day], InputError)]
    if len(runs) < 2:
        raise InputError(
            [Problem("the plan cannot be fitted on this date", day, why) for day, why in skipped]
        )
    return Replay(tuple(runs), tuple(skipped))


def _why(error: InputError) -> str:
    return "; ".join(problem.line() for problem in error.problems)
