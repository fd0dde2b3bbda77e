"""Statements that cannot all be true: who says what, and which side a plan prefers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..data.axes import Index
from ..data.errors import InputError, Problem
from ..data.panel import Panel
from .contract import Decision

NAMED = 6
REMEDY = "name the source that wins in [[prefer]], or leave a row out with [[exclude]]"


class SharedCounts(InputError):
    """Statements that may all be true but share unobserved counts in a way that no one density covers."""


@dataclass(frozen=True)
class Clash:
    """Two sides that contradict each other.

    Parameters
    ----------
    left, right : tuple of str
        Ids of the statements on either side.
    problem : Problem
        What to tell the analyst where no side is preferred.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    problem: Problem


def rows(panel: Panel, ids: Iterable[str]) -> str:
    """File and row of each statement, the first few of many, for messages."""
    found = list(dict.fromkeys(panel.by_id[i].where for i in ids))
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return " and ".join(found[:NAMED]) + more


def place(panel: Panel, cells: Index) -> str:
    """The cells in words: the one there is, or how many and the first."""
    first = ", ".join(panel.axes.cell_names(int(cells[0])))
    return f"({first})" if len(cells) == 1 else f"{len(cells)} cells from ({first}) on"


def settle(clashes: Iterable[Clash], panel: Panel) -> dict[str, Decision]:
    """Drop the side that is not preferred, wherever exactly one side is.

    Returns
    -------
    dict
        Statement id to its decision; clashes that stay open leave nothing here.
    """
    lost: dict[str, Decision] = {}
    for clash in clashes:
        left = [i for i in clash.left if panel.by_id[i].preferred]
        right = [i for i in clash.right if panel.by_id[i].preferred]
        if bool(left) == bool(right):
            continue
        winners, losers = (left, clash.right) if left else (right, clash.left)
        reason = (
            f"contradicts {rows(panel, winners)}, which is preferred: {panel.by_id[winners[0]].preferred}"
        )
        for name in losers:
            lost.setdefault(name, Decision(name, "dropped", reason, tuple(winners[:NAMED])))
    return lost
