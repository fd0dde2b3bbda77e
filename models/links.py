"""Which sums of different stages share unobserved counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .contract import Floats, Ints
from .readings import Total


@dataclass(frozen=True, slots=True)
class Item:
    """An inexact sum at one stage, trimmed to the cells that can vary.

    ``n`` and the total's range are less the counts known at ``end``.
    """

    stage: int
    total: Total
    start: Ints
    end: Ints
    n: Floats


def within(inner: Item, outer: Item) -> bool:
    """Are the cells of one item among those of another, conditioned on the same stage?"""
    at = np.searchsorted(outer.total.cells, inner.total.cells)
    if (at >= outer.total.cells.size).any():
        return False
    return bool((outer.total.cells[at] == inner.total.cells).all() and (outer.start[at] == inner.start).all())


def components(items: Sequence[Item], cells: int) -> list[list[int]]:
    """Positions of items that share unobserved counts: a cell conditioned on the same known stage.

    Two sums of one cell with a known stage between them have different starts.
    """
    return sharing([item.start * cells + item.total.cells for item in items])


def sharing(sets: Sequence[Ints]) -> list[list[int]]:
    """Positions of sets of numbers, those together that share some, directly or through others."""
    if not sets:
        return []
    keys = np.concatenate(sets)
    owner = np.repeat(np.arange(len(sets)), [each.size for each in sets])
    order = np.argsort(keys, kind="stable")
    keys, owner = keys[order], owner[order]
    same = np.flatnonzero(keys[1:] == keys[:-1])
    graph = coo_array((np.ones(same.size), (owner[same], owner[same + 1])), shape=(len(sets), len(sets)))
    _, labels = connected_components(graph, directed=False)
    parts: dict[int, list[int]] = {}
    for i, label in enumerate(labels.tolist()):
        parts.setdefault(label, []).append(i)
    return list(parts.values())
