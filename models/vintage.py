"""Counts of cohorts by date, and the account of what became of each: decisions and problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..data.errors import Problem
from ..data.panel import Panel
from ..data.statement import Statement
from .clashes import rows
from .contract import Decision, Ints


@dataclass(frozen=True)
class Vintage:
    """One count of some cohort cells.

    Parameters
    ----------
    statement : Statement
    low, high : float
    ages : (m,) int
        Of each cell, the whole periods after its own that had ended at the date.
    complete : bool
        All of its cells are older than the horizon.
    """

    statement: Statement
    low: float
    high: float
    ages: Ints
    complete: bool

    @property
    def name(self) -> str:
        """Id of the statement."""
        return self.statement.id


class Account:
    """What became of counts by date.

    Parameters
    ----------
    panel : Panel

    Attributes
    ----------
    decisions : list of Decision
    problems : list of Problem
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.decisions: list[Decision] = []
        self.problems: list[Problem] = []

    def above(self, statement: Statement, names: Sequence[str], count: float, units: float) -> None:
        """Report counts that exceed their denominators."""
        self.problems.append(
            Problem(
                f"{what_of(statement)} above its denominator",
                rows(self._panel, names),
                f"{count:,.0f} out of {units:,.0f}",
                "at most one outcome per unit",
                "correct it, or leave it out with [[exclude]]",
            )
        )

    def rows(self, vintage: Vintage) -> str:
        """Where a count stands."""
        return rows(self._panel, [vintage.name])

    def said(self, vintage: Vintage) -> str:
        """A count and its date, in words."""
        return f"{vintage.statement.sentence()} as of {vintage.statement.as_of}"

    def settle(
        self,
        found: Sequence[Vintage],
        reason: str,
        action: Literal["used", "unused", "dropped"],
        by: Vintage | None = None,
    ) -> None:
        """Record what became of some counts, and why; ``by`` another."""
        others = () if by is None else (by.name,)
        self.decisions += [Decision(vintage.name, action, reason, others) for vintage in found]

    def falls(self, earlier: Vintage, later: str, behind: Vintage | None) -> None:
        """Report a count above a later one."""
        self.problem(
            f"{what_of(earlier.statement)} falls from one date to the next",
            (earlier,) if behind is None else (earlier, behind),
            f"{self.said(earlier)}, then {later}",
            "counts of a cohort that never fall",
            'correct one, or set kind.immature.revisions = "latest" to read only what was known after the last '
            'correction, or "model" for records that can be taken back',
        )

    def problem(self, what: str, found: Sequence[Vintage], said: str, allowed: str, do: str) -> None:
        """Report a fault of some counts."""
        self.problems.append(Problem(what, rows(self._panel, [v.name for v in found]), said, allowed, do))


def what_of(statement: Statement) -> str:
    """What a statement counts, in words."""
    return (
        f"count of those closed without {statement.stage}" if statement.closed else f"{statement.stage} count"
    )


def came(vintage: Vintage) -> str:
    """How old the cohorts were, in words."""
    ages = sorted({int(a) for a in vintage.ages})
    span = f"{ages[0]}" if len(ages) == 1 else f"{ages[0]} to {ages[-1]}"
    what = "what had been closed" if vintage.statement.closed else "what had come"
    return f"{what} by the end of {span} period{'' if span == '1' else 's'} after the cohort's own"
