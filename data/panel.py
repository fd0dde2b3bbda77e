"""A panel: funnel, axes and statements that have been checked against one another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .axes import Axes, Index, Node
from .digest import canonical_json, digest_each
from .funnel import Funnel
from .statement import Statement


@dataclass(frozen=True)
class Arrangement:
    """Where statements stand when a total's denominators are not split by offense, or a nation's by place.

    Parameters
    ----------
    places : mapping of statement id to cells
        Cells of each statement; a total that nothing splits is one cell of its own.
    pools : mapping of cell to cells
        For the cell of an unsplit total, the cells it is made of.
    parts : mapping of statement id to cell
        Statements about a part of an unsplit total, and the cell of that total; ``places`` holds the part.
    unplaced : mapping of statement id to the reason why it stands nowhere
    finer : tuple of Node
        Offenses finer than any published denominator; no cell speaks of them.
    shares : (T, O) float
        Log share of each offense leaf by period, -inf for leaves that are no offense of the mix.
    mixed_from : tuple of str
        For each period the period whose counts give the mix.
    """

    places: Mapping[str, Index]
    pools: Mapping[int, Index]
    parts: Mapping[str, int]
    unplaced: Mapping[str, str]
    finer: tuple[Node, ...]
    shares: NDArray[np.float64]
    mixed_from: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """What was recorded.

    Parameters
    ----------
    funnel : Funnel
    axes : Axes
    statements : tuple of Statement
        Those to be fitted (role ``use``, not excluded), in reading order.
    mix : tuple of Statement
        Counts by offense of a stage outside the funnel, which say how a total divides among offenses.
    arrangement : Arrangement or None
        Where statements stand, in a panel with unsplit totals or remainder units.
    dated : bool
        When a count was known is part of what it says.
    """

    funnel: Funnel
    axes: Axes
    statements: tuple[Statement, ...]
    mix: tuple[Statement, ...] = ()
    arrangement: Arrangement | None = None
    dated: bool = False

    @cached_property
    def by_id(self) -> dict[str, Statement]:
        """Statements by id."""
        return {statement.id: statement for statement in self.statements}

    def cells(self, statement: Statement) -> Index:
        """Flat numbers of the cells a statement sums over, ascending."""
        if self.arrangement is not None and statement.id in self.arrangement.places:
            return self.arrangement.places[statement.id]
        return self.axes.cells(statement.offense, statement.jurisdiction, statement.period)

    def digest(self) -> str:
        """Digest of the facts alone: order and place of reading do not count, nor does the date of reading.

        The date counts where it is part of the facts.
        """
        return self._digest

    @cached_property
    def _digest(self) -> str:
        records = (
            s.record() | ({"as_of": s.as_of} if self.dated else {})
            for s in itertools.chain(self.statements, self.mix)
        )
        return digest_each(sorted(map(canonical_json, records)))
