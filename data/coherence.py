"""What is wrong before any model: rows that disagree, impossible steps, totals below their parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .axes import Axes
from .disagreement import disagreement
from .errors import InputError, Problem
from .faults import Faults
from .funnel import Funnel
from .limits import limits, tightest
from .names import ROOT, Origin
from .panel import Panel
from .statement import Statement
from .totals import totals_below_parts

SILENT = 20  # referrals from which a block of zeros looks like silence rather than chance


class Subject(NamedTuple):
    """What a count is about; statements of one subject must agree. An unknown clock is read as period.

    ``as_of`` is empty where the date does not matter.
    """

    stage: str
    offense: str
    jurisdiction: str
    period: str
    origin: Origin
    clock: str
    share_of: str | None
    as_of: str = ""
    closed: bool = False

    @property
    def place(self) -> tuple[str, str, str]:
        """The node triple."""
        return self.offense, self.jurisdiction, self.period


def subject(statement: Statement, dated: bool = False) -> Subject:
    """What a statement is about; ``dated``: what had become of a cohort by one date is no rival of a later count."""
    s = statement
    clock = "cohort" if s.clock == "cohort" else "period"
    as_of = s.as_of if dated and clock == "cohort" and s.share_of is None else ""
    return Subject(s.stage, s.offense, s.jurisdiction, s.period, s.origin, clock, s.share_of, as_of, s.closed)


class Contradictory(InputError):
    """Rows that cannot all be true, and no other fault.

    Parameters
    ----------
    problems : iterable of Problem
    rest : Panel
        The statements that contradict nothing here, for those who look further before they complain.
    """

    def __init__(self, problems: Iterable[Problem], rest: Panel) -> None:
        super().__init__(problems)
        self.rest = rest


def incoherences(
    statements: Sequence[Statement],
    funnel: Funnel,
    axes: Axes,
    columns: Mapping[str, str],
    vintages: bool = False,
) -> tuple[tuple[Problem, ...], frozenset[str]]:
    """Every contradiction among the statements that are to be used.

    Parameters
    ----------
    statements : sequence of Statement
        Placed: their nodes exist on the axes.
    funnel : Funnel
    axes : Axes
    columns : mapping of str to str
        Statement id to the column its number stands in, for messages; the stage where it is absent.
    vintages : bool
        Counts after the first stage that were known at different dates may differ.

    Returns
    -------
    problems : tuple of Problem
    at_fault : frozenset of str
        Ids of the statements without which no contradiction is left.
    """
    groups: dict[Subject, list[Statement]] = {}

    def about_of(statement: Statement) -> Subject:
        return subject(statement, vintages and statement.stage != funnel.stages[0])

    for statement in statements:
        groups.setdefault(about_of(statement), []).append(statement)
    agreed: dict[Subject, tuple[Statement, Statement]] = {}
    faults = Faults()
    at_fault: set[Subject] = set()

    def report(about: Subject, problem: Problem, place: str) -> None:
        at_fault.add(about)
        faults.add(problem, place)

    for about, members in groups.items():
        problem = disagreement(members, columns) if len(members) > 1 else None
        if problem is not None:
            first = min(members, key=lambda s: (s.file, s.row))
            report(about, problem, f"{first.file}, column {columns.get(first.id, first.stage)}")
        elif about.share_of is None and not about.closed and (pair := _pair(members)) is not None:
            agreed[about] = pair
    for outcome, denominator in _outcomes_above(agreed, funnel):
        column = columns.get(outcome.id, outcome.stage)
        report(about_of(outcome), _above(outcome, denominator, column), f"{outcome.file}, column {column}")
    for total, problem in totals_below_parts(_by_kind(agreed), axes, columns):
        report(about_of(total), problem, "totals")
    return faults.problems(), frozenset(s.id for about in at_fault for s in groups[about])


def _pair(members: Sequence[Statement]) -> tuple[Statement, Statement] | None:
    """The tightest lower and upper statement of one subject; None when all are soft.

    Preferred statements win where not all agree.
    """
    if len(members) == 1 and members[0].relation == "exact" and members[0].count is not None:
        return members[0], members[0]
    pair = tightest(members)
    if pair is None or _low(pair[0]) <= _high(pair[1]):
        return pair
    return tightest([s for s in members if s.preferred])


def _low(statement: Statement) -> float:
    found = limits(statement)
    return 0.0 if found is None else found[0]


def _high(statement: Statement) -> float:
    found = limits(statement)
    return float("inf") if found is None else found[1]


def _outcomes_above(
    agreed: Mapping[Subject, tuple[Statement, Statement]], funnel: Funnel
) -> Iterator[tuple[Statement, Statement]]:
    """Outcomes that exceed the nearest earlier count of the same cell, clock and unit, each with that count."""
    cells: dict[tuple[str, str, str, str, str], dict[int, tuple[Statement, Statement]]] = {}
    first: dict[tuple[str, str, str, str], tuple[Statement, Statement]] = {}
    for about, pair in agreed.items():
        if about.origin == "referred_only":
            cells.setdefault((*about.place, about.clock, about.as_of), {})[funnel.index(about.stage)] = pair
            if about.stage == funnel.stages[0]:
                first[*about.place, about.clock] = pair
    for key, counts in cells.items():
        if (base := first.get(key[:4])) is not None:
            counts.setdefault(0, base)
    stages = range(len(funnel.stages))
    probability = {(i, j) for j in stages for i in range(j) if funnel.step(i, j).kind == "probability"}
    for known in cells.values():
        order = sorted(known)
        for later in order[1:]:
            for earlier in reversed([i for i in order if (i, later) in probability]):
                outcome, denominator = known[later][0], known[earlier][1]
                if _low(outcome) > _high(denominator):
                    yield outcome, denominator
                    break


def _above(outcome: Statement, denominator: Statement, column: str) -> Problem:
    clash = (
        "outcomes dated in the period that stem from earlier referrals"
        if outcome.clock != "cohort"
        else 'outcomes counted by their own date and declared a cohort (clock = "period")'
    )
    return Problem(
        f"{outcome.stage} above {denominator.stage}",
        f"{outcome.where}, column {column}"
        + ("" if outcome.where == denominator.where else f" against {denominator.where}"),
        f"{outcome.sentence()} out of {denominator.sentence()}",
        "an outcome at most as large as its denominator",
        "possible causes: different units (declare them in [funnel] units, the step becomes a ratio); "
        f'outcomes that did not begin as referrals (origin = "all_sources"); {clash}; a typing error',
    )


def _by_kind(
    agreed: dict[Subject, tuple[Statement, Statement]],
) -> dict[tuple[str, ...], list[tuple[Statement, Statement]]]:
    out: dict[tuple[str, ...], list[tuple[Statement, Statement]]] = {}
    for about, pair in agreed.items():
        out.setdefault((about.stage, about.origin, about.clock, about.as_of), []).append(pair)
    return out


_SUMS = ("total", "totals", "sum", "overall", "everything", "subtotal", "grand total", "any")


def suspicions(statements: Iterable[Statement], funnel: Funnel, axes: Axes) -> list[str]:
    """Sentences on what looks wrong and may be right; nothing is changed."""
    named = [
        f"the {name} {leaf!r} reads like a sum over the others and is treated as one more category; if it is "
        f'a sum, map it to the root: values.{name} = {{"{leaf}" = "{ROOT}"}}'
        for name in ("offense", "jurisdiction")
        for leaf in axes[name].leaves
        if leaf != ROOT and (leaf.casefold() in _SUMS or leaf.casefold().startswith(("all ", "total ")))
    ]
    return named + _silent_blocks(statements, funnel)


def _silent_blocks(statements: Iterable[Statement], funnel: Funnel) -> list[str]:
    """Blocks of zeros that look like silence.

    A jurisdiction and period whose several offenses are all exactly zero at a stage, while at least 20
    referrals are recorded for them.
    """
    first = funnel.stages[0]
    blocks: dict[tuple[str, str, str], dict[str, float]] = {}
    for s in statements:
        if s.relation == "exact" and s.count is not None:
            blocks.setdefault((s.jurisdiction, s.period, s.stage), {})[s.offense] = s.count
    out = []
    for (jurisdiction, period, stage), counts in blocks.items():
        if stage == first or len(counts) < 2 or any(counts.values()):
            continue
        referred = blocks.get((jurisdiction, period, first), {})
        total = sum(referred.get(offense, 0.0) for offense in counts)
        if total >= SILENT:
            out.append(
                f"{jurisdiction}, {period}: all {len(counts)} offenses have 0 at {stage} while {total:,.0f} "
                f"at {first} are recorded; if the place did not report, leave the fields empty"
            )
    return out
