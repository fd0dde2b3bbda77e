"""Unsplit totals and remainder units: where statements stand when denominators are published for totals alone.

A place that publishes its referrals for all offenses together has *one* known denominator. It becomes a cell of its
own, the unsplit total, made of one cell for each offense in shares that are known only through a mix published
elsewhere. A nation whose sub-units publish too holds them and one more unit, the remainder: what it has beside those
that are known in the period.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from ..data.axes import Axes, Axis, Index, Node
from ..data.names import ROOT
from ..data.panel import Arrangement, Panel
from ..data.statement import Statement

UNSPLIT, REST = ":unsplit", ":rest"
_PARTLY = "it reaches beyond the cells whose first count is published, and the two share unobserved counts"

type Layer = tuple[
    bool, bool
]  # counts of referred cases only or of mixed origin, of other twelve months or not
OWN: Layer = (True, False)  # the funnel's own cases in its own year


def arrange(panel: Panel, remainder: bool) -> Panel:
    """Give every statement of a panel its cells among unsplit totals and remainder units.

    Parameters
    ----------
    panel : Panel
        With ``mix`` statements where totals over offenses are to be read through a mix.
    remainder : bool
        A place with recorded sub-units holds one more unit beside those known in the period.

    Returns
    -------
    Panel
        On axes with the made leaves, with an ``arrangement``; the same panel where there is nothing to arrange.
    """
    if not panel.mix and not remainder:
        return panel
    offense, finer = _offense_axis(panel) if panel.mix else (panel.axes.offense, ())
    jurisdiction = _jurisdiction_axis(panel) if remainder else panel.axes.jurisdiction
    axes = Axes(offense, jurisdiction, panel.axes.period)
    shares, mixed_from, unread = _shares(panel, axes)
    placing = _Placing(panel, axes, finer)
    places, parts, unplaced = placing.run()
    axes = replace(axes, offense=_weighted(offense, shares)) if panel.mix else axes
    arrangement = Arrangement(
        places=places,
        pools=placing.pools,
        parts=parts,
        unplaced=unplaced | unread,
        finer=finer,
        shares=shares,
        mixed_from=mixed_from,
    )
    return replace(panel, axes=axes, arrangement=arrangement)


def _offense_axis(panel: Panel) -> tuple[Axis, tuple[Node, ...]]:
    """The tree down to the offenses of the mix, a leaf for each unsplit node, and the offenses that are finer."""
    axis = panel.axes.offense
    mixed = {s.offense for s in panel.mix if s.offense in axis.by_name and s.offense != ROOT}
    leaves = {name for name in mixed if not mixed.intersection(axis.ancestors(name))}
    inner = {above for name in leaves for above in axis.ancestors(name)}
    kept = [node for node in axis.nodes if node.name in leaves or node.name in inner]
    made = [
        Node(node.name + UNSPLIT, f"{node.label}, not split", node.name, made="unsplit")
        for node in kept
        if node.name in inner
    ]
    finer = tuple(node for node in axis.nodes if node.name not in leaves and node.name not in inner)
    return Axis("offense", (*kept, *made)), finer


def _weighted(axis: Axis, shares: np.ndarray) -> Axis:
    """The axis with each leaf's mean share of the mix as its weight."""
    with np.errstate(invalid="ignore"):
        mean = dict(zip(axis.leaves, np.exp(shares).mean(axis=0).tolist(), strict=True))
    if not sum(mean.values()) > 0:
        return axis
    return Axis(axis.name, tuple(replace(n, weight=mean.get(n.name, 1.0)) for n in axis.nodes))


def _jurisdiction_axis(panel: Panel) -> Axis:
    """The tree with a remainder leaf for every place that has sub-units and statements of its own."""
    axis = panel.axes.jurisdiction
    spoken = {statement.jurisdiction for statement in panel.statements}
    made = [
        Node(node.name + REST, f"{node.label}, remainder", node.name, made="rest")
        for node in axis.nodes
        if axis.children[node.name] and node.name in spoken
    ]
    return Axis("jurisdiction", (*axis.nodes, *made))


def _shares(panel: Panel, axes: Axes) -> tuple[np.ndarray, tuple[str, ...], dict[str, str]]:
    """Log shares (T, O) of the offense leaves, the period each comes from, and the mix statements left out."""
    leaves, periods = axes.offense.leaves, axes.period.leaves
    wanted = [i for i, name in enumerate(leaves) if axes.offense.by_name[name].made == ""]
    counts = np.zeros((len(periods), len(leaves)))
    unread: dict[str, str] = {}
    for statement in panel.mix:
        if statement.offense in leaves and statement.period in periods and statement.count is not None:
            counts[periods.index(statement.period), leaves.index(statement.offense)] += statement.count
        else:
            unread[statement.id] = "the mix is read from whole periods, at the offenses that divide the total"
    whole = np.flatnonzero((counts[:, wanted] > 0).all(axis=1)) if panel.mix else np.zeros(0, dtype=int)
    for statement in panel.mix:
        if statement.id not in unread and periods.index(statement.period) not in whole:
            unread[statement.id] = f"the mix of {statement.period} lacks some offenses"
    out = np.full(counts.shape, -np.inf)
    mixed_from = []
    for t in range(len(periods)):
        if not len(whole):
            mixed_from.append("")
            continue
        near = int(whole[np.argmin(np.abs(whole - t))])
        with np.errstate(divide="ignore"):
            out[t] = np.log(counts[near] / counts[near].sum())
        mixed_from.append(periods[near])
    return out, tuple(mixed_from), unread


def layer(statement: Statement) -> Layer:
    """Which counts can be compared with a statement's."""
    return statement.origin == "referred_only", statement.shifted


def finite(statement: Statement) -> bool:
    """Does the statement fix a count, at least roughly?"""
    if statement.relation in ("exact", "approx", "rounded"):
        return True
    return (
        statement.relation in ("range", "suppressed") and statement.high is not None and bool(statement.low)
    )


class _Placing:
    """Finds the cells of each statement, place by place and period by period."""

    def __init__(self, panel: Panel, axes: Axes, finer: tuple[Node, ...]) -> None:
        self._panel, self._axes, self._finer = panel, axes, {node.name for node in finer}
        self._first = panel.funnel.stages[0]
        self.pools: dict[int, Index] = {}
        self._by_place: dict[tuple[str, str], list[Statement]] = defaultdict(list)
        for statement in panel.statements:
            self._by_place[statement.jurisdiction, statement.period].append(statement)

    def run(self) -> tuple[dict[str, Index], dict[str, int], dict[str, str]]:
        """Cells, parts of totals, and statements that stand nowhere."""
        places: dict[str, Index] = {}
        parts: dict[str, int] = {}
        unplaced: dict[str, str] = {}
        for statement in self._panel.statements:
            reason = self._unfit(statement)
            if reason:
                unplaced[statement.id] = reason
                continue
            whole = self._part_of(statement)
            if whole is not None:
                if self._several(statement.jurisdiction, statement.period, whole):
                    unplaced[statement.id] = "a part of a total over several places"
                    continue
                pool = self._cell(whole, statement.jurisdiction, statement.period)
                parts[statement.id] = pool
                places[statement.id] = self._inside(pool, statement.offense)
                continue
            cells = self._members(statement.jurisdiction, statement.period, statement.offense)
            places[statement.id] = np.sort(np.array(cells, dtype=np.int64))
        return places, parts, unplaced

    def _unfit(self, statement: Statement) -> str:
        if statement.offense in self._finer:
            return f"no denominator is published as fine as {statement.offense}, here or anywhere"
        if statement.period not in self._axes.period.leaves:
            return "it covers several periods"
        own = self._axes.jurisdiction.own
        if statement.jurisdiction not in own or statement.offense not in self._axes.offense.own:
            return "it covers several places or offenses that have no total of their own"
        if statement.stage == self._first:
            return ""
        firsts = self._firsts(statement.jurisdiction, statement.period)
        below = [o for o in firsts if statement.offense in self._axes.offense.ancestors(o)]
        return _PARTLY if below and statement.offense not in firsts else ""

    def _firsts(self, place: str, period: str) -> list[str]:
        """Offenses whose count is known at the earliest stage a place speaks of."""
        here = [s for s in self._by_place[place, period] if s.offense not in self._finer and finite(s)]
        if not here:
            return []
        base = min(self._panel.funnel.index(s.stage) for s in here)
        return sorted({s.offense for s in here if self._panel.funnel.index(s.stage) == base})

    def _part_of(self, statement: Statement) -> str | None:
        """The nearest total that holds a statement's offense and is known where the offense itself is not."""
        firsts = self._firsts(statement.jurisdiction, statement.period)
        if statement.offense in firsts:
            return None
        return next((o for o in self._axes.offense.ancestors(statement.offense) if o in firsts), None)

    def _members(self, place: str, period: str, offense: str) -> list[int]:
        """The unit itself and the sub-units that are known beside it, as cells."""
        axis = self._axes.jurisdiction
        cells = [self._cell(offense, place, period)]
        # Offenses counted apart from a total they belong to stand beside what is left of it.
        firsts = self._firsts(place, period)
        if offense in firsts:
            cells += [
                self._cell(o, place, period) for o in firsts if offense in self._axes.offense.ancestors(o)
            ]
        if not axis.children[place]:
            return cells
        here = [s for s in self._by_place[place, period] if s.offense == offense and finite(s)]
        if not here:
            return cells
        base = min(here, key=lambda s: self._panel.funnel.index(s.stage))
        for child in self._known_below(place, period, base):
            cells += self._members(child, period, offense)
        return cells

    def _several(self, place: str, period: str, offense: str) -> bool:
        """Does a count of the place hold cells of other places?"""
        cells = np.array(self._members(place, period, offense))
        return len(np.unique(np.unravel_index(cells, self._axes.shape)[1])) > 1

    def _known_below(self, place: str, period: str, base: Statement) -> list[str]:
        """The nearest places below that give the same count as the place itself."""
        found: list[str] = []
        for child in self._axes.jurisdiction.children[place]:
            if self._axes.jurisdiction.by_name[child].made:
                continue
            same = any(
                s.stage == base.stage
                and s.offense == base.offense
                and finite(s)
                and (s.stage == self._first or layer(s) == layer(base))
                for s in self._by_place[child, period]
            )
            found += [child] if same else self._known_below(child, period, base)
        return found

    def _cell(self, offense: str, place: str, period: str) -> int:
        """The unit's own cell; an unsplit total is entered among the pools."""
        axes = self._axes
        leaf = axes.offense.own[offense]
        cell = int(axes.cells(leaf, axes.jurisdiction.own[place], period)[0])
        if leaf != offense and cell not in self.pools:
            apart = {o for o in self._firsts(place, period) if offense in axes.offense.ancestors(o)}
            leaves = [
                name
                for name in axes.offense.leaves
                if offense in axes.offense.ancestors(name)
                and not axes.offense.by_name[name].made
                and not apart.intersection((name, *axes.offense.ancestors(name)))
            ]
            own = axes.jurisdiction.own[place]
            self.pools[cell] = np.array([int(axes.cells(o, own, period)[0]) for o in leaves], dtype=np.int64)
        return cell

    def _inside(self, pool: int, offense: str) -> Index:
        """The cells of a pool that belong to an offense."""
        o = np.unravel_index(self.pools[pool], self._axes.shape)[0]
        return self.pools[pool][np.isin(o, self._axes.offense.positions[offense])]
