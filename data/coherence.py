"""What is wrong before any model: rows that disagree, impossible steps, totals below their parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .axes import Axes
from .errors import Problem
from .faults import Faults
from .funnel import Funnel
from .limits import limits, tightest
from .names import ROOT, Origin
from .statement import Statement
from .totals import totals_below_parts

SILENT = 20  # referrals from which a block of zeros looks like silence rather than chance


class Subject(NamedTuple):
    """What a count is about; statements of one subject must agree. An unknown clock is read as period."""

    stage: str
    offense: str
    jurisdiction: str
    period: str
    origin: Origin
    clock: str
    share_of: str | None

    @property
    def place(self) -> tuple[str, str, str]:
        """The node triple."""
        return self.offense, self.jurisdiction, self.period


def subject(statement: Statement) -> Subject:
    """What a statement is about."""
    s = statement
    clock = "cohort" if s.clock == "cohort" else "period"
    return Subject(s.stage, s.offense, s.jurisdiction, s.period, s.origin, clock, s.share_of)


def incoherences(
    statements: Sequence[Statement], funnel: Funnel, axes: Axes, columns: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Every contradiction among the statements that are to be used.

    Parameters
    ----------
    statements : sequence of Statement
        Placed: their nodes exist on the axes.
    funnel : Funnel
    axes : Axes
    columns : mapping of str to str
        Statement id to the column its number stands in, for messages; the stage where it is absent.
    """
    faults = Faults()
    groups: dict[Subject, list[Statement]] = {}
    for statement in statements:
        groups.setdefault(subject(statement), []).append(statement)
    agreed: dict[Subject, tuple[Statement, Statement]] = {}
    for about, members in groups.items():
        pair = _agree(members, columns, faults)
        if pair is not None and about.share_of is None:
            agreed[about] = pair
    _outcomes_above(agreed, funnel, columns, faults)
    faults.extend(totals_below_parts(_by_kind(agreed), axes, columns), "totals")
    return faults.problems()


def _agree(
    members: Sequence[Statement], columns: Mapping[str, str], faults: Faults
) -> tuple[Statement, Statement] | None:
    """The tightest lower and upper statement of one subject; None when all are soft or two contradict.

    Preferred statements win: only they must agree where there are any.
    """
    if len(members) == 1:
        found = limits(members[0])
        return None if found is None else (members[0], members[0])
    pair = tightest(members)
    if pair is None or _low(pair[0]) <= _high(pair[1]):
        return pair
    preferred = [s for s in members if s.preferred]
    if preferred:
        pair = tightest(preferred)
        if pair is None or _low(pair[0]) <= _high(pair[1]):
            return pair
    first, second = sorted(pair, key=lambda s: (s.file, s.row))
    column = columns.get(first.id, first.stage)
    dates = f" (as of {first.as_of} and {second.as_of})" if first.as_of != second.as_of else ""
    faults.add(
        Problem(
            "two rows disagree",
            f"{first.where} and {second.where}, column {column}",
            f"{first.sentence()} [{first.source_id}] and {second.sentence()} [{second.source_id}]{dates}",
            "one count for one cell, stage and period",
            "correct one, [[exclude]] it, or [[prefer]] a source",
        ),
        f"{first.file}, column {column}",
    )
    return None


def _low(statement: Statement) -> float:
    found = limits(statement)
    return 0.0 if found is None else found[0]


def _high(statement: Statement) -> float:
    found = limits(statement)
    return float("inf") if found is None else found[1]


def _outcomes_above(
    agreed: Mapping[Subject, tuple[Statement, Statement]],
    funnel: Funnel,
    columns: Mapping[str, str],
    faults: Faults,
) -> None:
    """Report outcomes that exceed the nearest earlier count of the same cell, clock and unit."""
    cells: dict[tuple[str, str, str, str], dict[int, tuple[Statement, Statement]]] = {}
    for about, pair in agreed.items():
        if about.origin == "referred_only":
            cells.setdefault((*about.place, about.clock), {})[funnel.index(about.stage)] = pair
    stages = range(len(funnel.stages))
    probability = {(i, j) for j in stages for i in range(j) if funnel.step(i, j).kind == "probability"}
    for known in cells.values():
        order = sorted(known)
        for later in order[1:]:
            for earlier in reversed([i for i in order if (i, later) in probability]):
                outcome, denominator = known[later][0], known[earlier][1]
                if _low(outcome) > _high(denominator):
                    column = columns.get(outcome.id, outcome.stage)
                    faults.add(_above(outcome, denominator, column), f"{outcome.file}, column {column}")
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
) -> dict[tuple[str, str, str], list[tuple[Statement, Statement]]]:
    out: dict[tuple[str, str, str], list[tuple[Statement, Statement]]] = {}
    for about, pair in agreed.items():
        out.setdefault((about.stage, about.origin, about.clock), []).append(pair)
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
