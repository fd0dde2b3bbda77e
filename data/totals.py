"""Totals that are smaller than the sum of their parts.

The least value of every node is carried upward: the larger of its own floor and, along any one axis, the sum
of its children's least values. Children of a node never overlap, so each is a valid lower bound; rounds over
the three axes are repeated until nothing rises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .axes import Axes
from .errors import Problem
from .limits import limits
from .names import AXES
from .statement import Statement

Floors = NDArray[np.float64]
Pair = tuple[Statement, Statement]
Place = tuple[int, int, int]


def totals_below_parts(
    kinds: Mapping[tuple[str, ...], Sequence[Pair]], axes: Axes, columns: Mapping[str, str]
) -> list[tuple[Statement, Problem]]:
    """Every total whose ceiling lies below what its parts add up to, and what to say of it.

    Parameters
    ----------
    kinds : mapping of (stage, origin, clock, date) to pairs of Statement
        For each node triple the statements with the tightest floor and ceiling.
    axes : Axes
    columns : mapping of str to str
        Statement id to the column its number stands in.
    """
    at = [{node.name: i for i, node in enumerate(axes[name].nodes)} for name in AXES]
    families = [
        [
            (at[k][parent], np.asarray([at[k][child] for child in children], dtype=np.int64))
            for parent, children in reversed(axes[name].children.items())
            if children
        ]
        for k, name in enumerate(AXES)
    ]
    problems: list[tuple[Statement, Problem]] = []
    for pairs in kinds.values():
        own: dict[Place, Pair] = {}
        floors = np.zeros([len(names) for names in at])
        for pair in pairs:
            s = pair[0]
            place = (at[0][s.offense], at[1][s.jurisdiction], at[2][s.period])
            own[place] = pair
            floors[place] = (limits(s) or (0.0,))[0]
        stated = floors.copy()
        _raise_floors(floors, families)
        for place, (_, ceiling) in own.items():
            found = limits(ceiling)
            if found is not None and found[1] < floors[place] and floors[place] > stated[place]:
                parts = _parts(place, floors, own, families)
                problems.append((ceiling, _problem(ceiling, columns, found[1], floors[place], parts)))
    return problems


def _raise_floors(floors: Floors, families: Sequence[Sequence[tuple[int, NDArray[np.int64]]]]) -> None:
    while True:
        before = floors.copy()
        for axis, parents in enumerate(families):
            view = np.moveaxis(floors, axis, 0)
            for parent, children in parents:
                view[parent] = np.maximum(view[parent], view[children].sum(axis=0))
        if np.array_equal(before, floors):
            return


def _parts(
    place: Place,
    floors: Floors,
    own: Mapping[Place, Pair],
    families: Sequence[Sequence[tuple[int, NDArray[np.int64]]]],
    top: bool = True,
) -> list[Statement]:
    """The statements whose floors add up to the least value of a node."""
    if not top and place in own and (limits(own[place][0]) or (0.0,))[0] == floors[place]:
        return [own[place][0]]
    for axis, parents in enumerate(families):
        for parent, children in parents:
            if parent != place[axis]:
                continue
            below = [(*place[:axis], int(child), *place[axis + 1 :]) for child in children]
            if sum(floors[where] for where in below) == floors[place]:
                return [
                    part
                    for where in below
                    if floors[where] > 0
                    for part in _parts(where, floors, own, families, False)  # type: ignore[arg-type]
                ]
    return []


def _problem(
    total: Statement, columns: Mapping[str, str], ceiling: float, floor: float, parts: Sequence[Statement]
) -> Problem:
    shown = "; ".join(f"{part.sentence()} in {part.where}" for part in parts[:3])
    more = f"; and {len(parts) - 3} more" if len(parts) > 3 else ""
    return Problem(
        "total below the sum of its parts",
        f"{total.where}, column {columns.get(total.id, total.stage)}",
        f"{total.sentence()}, while its parts add up to {floor:,.0f} ({shown}{more})",
        f"a total of at least {floor:,.0f}; the difference would be {ceiling - floor:,.0f}",
        "correct it, or [[exclude]] the total or the parts",
    )
