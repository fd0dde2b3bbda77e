"""Totals of one stage that cross: one group for all of them, where their joint law is near enough to normal.

The totals are sums of independent counts, so that their means A μ and covariance A diag(v) A' are known exactly, while
their joint probability is a sum over a lattice. The normal law of the same moments stands for it where every total
still varies by more than 3 given all the others. That is judged here at rates that the totals themselves imply, and
again after the fit (``estimation/checks/crossing``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..data.errors import Problem
from ..data.panel import Panel
from .clashes import REMEDY, place, rows
from .contract import Bools, Decision, Floats, Group
from .elimination import eliminate
from .links import Item
from .sums.fibre import first_table

LEAST_SD = 3.0
"""Standard deviation, given all other totals, that a total must exceed."""
ADVICE = (
    "leave one of them out with [[exclude]], give some of the counts cell by cell, or sum over longer periods or "
    "more places"
)
_SWEEPS = 200


@dataclass(frozen=True)
class Crossed:
    """What became of totals that cross: a group, or why there is none.

    Parameters
    ----------
    group : Group or None
    problem : Problem or None
    contradiction : bool
        Can the totals not all be true?
    dropped : tuple of Decision
        Totals that follow from the others.
    reason : str
        What to say of those that are used.
    """

    group: Group | None
    problem: Problem | None = None
    contradiction: bool = False
    dropped: tuple[Decision, ...] = ()
    reason: str = ""


def cross(panel: Panel, items: Sequence[Item], ratio: bool) -> Crossed:
    """Put totals that cross together.

    Parameters
    ----------
    panel : Panel
    items : sequence of Item
        Of one stage, sharing unobserved counts.
    ratio : bool
        Their cells' paths hold a ratio step.
    """
    name = panel.funnel.stages[items[0].stage]
    items = sorted(items, key=lambda item: len(item.total.cells))
    ids = [i for item in items for i in item.total.ids]
    if not all(item.total.exact for item in items):
        loose = [i for item in items if not item.total.exact for i in item.total.ids]
        found = f"{' and '.join(item.total.stated for item in items if not item.total.exact)} ({rows(panel, loose)})"
        what = f"{name} range shares unobserved counts with totals that cross"
        return Crossed(None, Problem(what, rows(panel, ids), found, "exact totals that cross", ADVICE))
    cells, start, end, n = _union(items)
    members = np.array([np.isin(cells, item.total.cells) for item in items])
    columns = np.unique(members, axis=1)
    dropped, keep = [], []
    implied = eliminate(columns).implied
    for row, item in enumerate(items):
        if row not in implied:
            keep.append(row)
            continue
        others = tuple(i for j, _, _ in implied[row] for i in items[j].total.ids)
        reason = f"implied by {rows(panel, others)} and what is known of the same cells at other stages"
        dropped += [Decision(i, "dropped", reason, others) for i in item.total.ids]
    total = np.array([item.total.low for item in items])
    cap = np.full(len(cells), np.inf) if ratio else n
    if first_table(members, total, cap) is None:
        what = f"{name} totals that cross contradict each other"
        found = "; ".join(f"{item.total.stated} ({rows(panel, item.total.ids)})" for item in items[:6])
        allowed = "totals that some whole counts of the cells, none above its denominator, add up to"
        return Crossed(None, Problem(what, rows(panel, ids), found, allowed, REMEDY), contradiction=True)
    members, total, items = members[keep], total[keep], [items[row] for row in keep]
    least = given_others(members, plug_in_variance(members, total, n, ratio))
    worst = int(np.argmin(least))
    if least[worst] <= LEAST_SD:
        found = (
            f"given the others {items[worst].total.stated} ({rows(panel, items[worst].total.ids)}) varies by "
            f"{least[worst]:.2g} only, over {place(panel, items[worst].total.cells)}"
        )
        what = f"{name} totals cross, and their counts are too few for a joint density"
        allowed = f"totals each of which still varies by more than {LEAST_SD:g} given the others"
        return Crossed(None, Problem(what, rows(panel, ids), found, allowed, ADVICE), dropped=tuple(dropped))
    group = Group(
        cells, start, n, end, (items[0].stage,) * len(items), total, total,
        tuple(item.total.ids for item in items), members=members,
    )  # fmt: skip
    reason = (
        f"one of {len(items)} totals that cross over {len(cells)} cells; together they have one normal density "
        f"(least standard deviation given the others {least[worst]:.1f}, asked more than {LEAST_SD:g})"
    )
    return Crossed(group, dropped=tuple(dropped), reason=reason)


def _union(items: Sequence[Item]) -> tuple[np.ndarray, np.ndarray, np.ndarray, Floats]:
    """Cells of all items with their start, end and units."""
    cells, first = np.unique(np.concatenate([item.total.cells for item in items]), return_index=True)
    start, end, n = (
        np.concatenate([getattr(item, name) for item in items])[first] for name in ("start", "end", "n")
    )
    return cells, start, end, n


def plug_in_variance(members: Bools, total: Floats, n: Floats, ratio: bool) -> Floats:
    """Variances of the cells' counts at rates that meet the totals, (m,).

    Means proportional to the units are scaled to each total in turn (Deming and Stephan 1940). A ratio step's count has
    at least its mean as variance.
    """
    mean = n * (total.sum() / (members @ n).sum())
    inside = members.astype(float)
    for _ in range(_SWEEPS):
        for row, count in zip(inside, total, strict=True):
            now = row @ mean
            mean = np.where(row > 0, mean * (count / now if now > 0 else 0.0), mean)
            if not ratio:
                mean = np.minimum(mean, n)
    return mean if ratio else mean * (1 - mean / n)


def given_others(members: Bools, variance: Floats) -> Floats:
    """Standard deviation of each total given all the others, under the normal law; members (…, D, m), variance (…, m).

    Returns
    -------
    (…, D)
        0 where the others fix a total.
    """
    inside = members.astype(float)
    covariance = (inside * variance[..., None, :]) @ np.swapaxes(inside, -1, -2)
    size = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 1e-300))
    scaled = covariance / (size[..., :, None] * size[..., None, :])
    # A little on the diagonal in place of a singular matrix: such totals come out as all but fixed.
    scaled = scaled + 1e-12 * np.eye(scaled.shape[-1])
    precision = np.diagonal(np.linalg.inv(scaled), axis1=-2, axis2=-1)
    return size / np.sqrt(np.maximum(precision, 1.0))
