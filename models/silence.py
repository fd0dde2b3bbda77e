"""Who did not report: places, or periods of places, of whose outcomes no statement speaks but totals over several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from .contract import Group, Ints

Bools = NDArray[np.bool_]


def places_of(cells: Ints, panel: Panel) -> frozenset[int]:
    """Positions of the jurisdictions in which some cells lie."""
    return frozenset(np.unravel_index(cells, panel.axes.shape)[1].tolist())


def silent_places(group: Group, panel: Panel) -> frozenset[int]:
    """Of the places that a total holds together, those without a count of their own among its statements.

    What a place reports by itself is taken off the total before, so that only a crossing count can stand beside it.
    Places that the program made, such as a remainder, are no places that could report.
    """
    if len(group.cells) < 2 or group.part >= 0:
        return frozenset()
    together = places_of(group.cells, panel)
    if len(together) < 2:
        return frozenset()
    each = (places_of(panel.cells(panel.by_id[name]), panel) for stage in group.statements for name in stage)
    own = frozenset[int]().union(*(places for places in each if len(places) == 1))
    axis = panel.axes.jurisdiction
    return frozenset(place for place in together - own if not axis.by_name[axis.leaves[place]].made)


def passed(group: Group) -> Iterator[tuple[int, Ints]]:
    """The steps on the paths of a group, each with its cells."""
    last = max(group.stages)
    start, stop = group.start, np.where(group.end >= 0, group.end, last)
    if group.part >= 0:  # a part of an unsplit total, or a share of a known count
        start, stop = np.minimum(group.start[:1], last - 1), np.array([last])
    for step in range(int(start.min()), int(stop.max())):
        yield step, group.cells[(start <= step) & (step < stop)] if group.part < 0 else group.cells


def silent_cells(panel: Panel, groups: Iterable[Group], periods: bool) -> Bools:
    """Step-cells of places that said nothing of the step by themselves, (S, cells).

    Parameters
    ----------
    panel : Panel
    groups : iterable of Group
    periods : bool
        A place is asked period by period, and not for all of them together.
    """
    shape = panel.axes.shape
    heard = np.zeros((len(panel.funnel.steps), shape[1], shape[2]), dtype=bool)
    for group in groups:
        quiet = silent_places(group, panel)
        for step, cells in passed(group):
            _, place, period = np.unravel_index(cells, shape)
            own = ~np.isin(place, list(quiet))
            heard[step, place[own], period[own]] = True
    axis = panel.axes.jurisdiction
    heard[:, [bool(axis.by_name[name].made) for name in axis.leaves]] = True
    return spread_out(~heard, shape[0], periods)


def spread_out(silent: Bools, offenses: int, periods: bool) -> Bools:
    """Silence by step, place and period (S, J, T) as step-cells (S, cells); of whole places unless ``periods``."""
    if not periods:
        silent = np.broadcast_to(silent.all(axis=2, keepdims=True), silent.shape)
    return np.repeat(silent[:, None], offenses, axis=1).reshape(len(silent), -1)
