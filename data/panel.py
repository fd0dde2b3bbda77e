"""A panel: funnel, axes and statements that have been checked against one another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .axes import Axes, Index
from .digest import canonical_json, digest
from .funnel import Funnel
from .statement import Statement


@dataclass(frozen=True)
class Panel:
    """What was recorded.

    Parameters
    ----------
    funnel : Funnel
    axes : Axes
    statements : tuple of Statement
        Those to be fitted (role ``use``, not excluded), in reading order.
    """

    funnel: Funnel
    axes: Axes
    statements: tuple[Statement, ...]

    @cached_property
    def by_id(self) -> dict[str, Statement]:
        """Statements by id."""
        return {statement.id: statement for statement in self.statements}

    def cells(self, statement: Statement) -> Index:
        """Flat numbers of the cells a statement sums over."""
        return self.axes.cells(statement.offense, statement.jurisdiction, statement.period)

    def digest(self) -> str:
        """Digest of the facts alone: order and place of reading do not count, nor does the date of reading."""
        return digest(sorted(canonical_json(s.record()) for s in self.statements))
