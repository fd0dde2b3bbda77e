"""The least loss of information that protects every sensitive count, by cutting planes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from .attacker import SLACK, Reach
from .table import Bools, Floats, LinkedTable
from .witness import Witnesses

ROUNDS: Final = 60
NODES: Final = 1000


@dataclass(frozen=True)
class Cut:
    """``weight @ suppressed >= least``: what every set worth having satisfies."""

    weight: Floats
    least: float


def optimum(table: LinkedTable, k: int) -> Bools | None:
    """The suppressed counts of least weight; None where they are not found within ``ROUNDS`` and ``NODES``.

    Parameters
    ----------
    table : LinkedTable
    k : int
        Every sensitive count must be able to be 0, and to be k or more, for all that is told.

    Returns
    -------
    (N,) bool or None

    Notes
    -----
    A master integer program chooses the set; each end that a sensitive count cannot reach adds an inequality that
    the set breaks and every protecting set keeps (Fischetti and Salazar 2001). The first set that breaks none is
    optimal. Ends that the linear program reaches at fractional tables are looked at again with whole numbers.
    """
    cuts = _bridges(table)
    witnesses = Witnesses(table, k)
    suppressed: Bools | None = table.primary.copy()
    for _ in range(ROUNDS):
        assert suppressed is not None
        new = [
            _one_more(table, suppressed)
            if f.found is None
            else _capacity(table, f.count, witnesses.end(f.side), f.found)
            for f in witnesses.failures(suppressed)
        ]
        if not new:
            return suppressed
        cuts += new
        suppressed = _master(table, cuts)
        if suppressed is None:
            return None
    return None


def _capacity(table: LinkedTable, count: int, end: float, found: Reach) -> Cut:
    """The inequality that a set breaks if it holds ``count`` where it was found.

    By duality the way that a set z leaves to a count is at most ``sum(z (r⁺ room above + r⁻ value))`` with the reduced
    costs r of any set; there is no limit to the room above. No coefficient need be larger than the way asked for.
    """
    prices = np.where(np.abs(found.prices) > SLACK, found.prices, 0.0)
    fixed = ~table.held | table.primary
    with np.errstate(invalid="ignore"):
        gives = np.where(prices > 0, np.inf, -prices * table.values)
    least = float(abs(end - table.values[count]) - gives[fixed].sum())
    return Cut(np.where(fixed, 0.0, np.minimum(gives, least)), least)


def _one_more(table: LinkedTable, suppressed: Bools) -> Cut:
    """At least one count more than a set that fails: so does every part of it."""
    return Cut((table.held & ~suppressed).astype(float), 1.0)


def _bridges(table: LinkedTable) -> list[Cut]:
    """No count is suppressed alone in an equation: it would be found, and its loss be for nothing."""
    cuts = []
    ends = table.relations.indptr
    for start, stop in pairwise(ends):
        members = table.relations.indices[start:stop]
        for alone in members if table.held[members].all() else ():
            weight = np.zeros(len(table))
            weight[members] = 1.0
            weight[alone] = -1.0
            cuts.append(Cut(weight, 0.0))
    return cuts


def _master(table: LinkedTable, cuts: list[Cut]) -> Bools | None:
    """The set of least weight that breaks none of the inequalities."""
    found = milp(
        table.weights,
        constraints=LinearConstraint(
            sp.csr_matrix(np.stack([cut.weight for cut in cuts])),
            np.array([cut.least for cut in cuts]) - 1e-9,
            np.inf,
        ),
        bounds=Bounds(table.primary.astype(float), table.held.astype(float)),
        integrality=np.ones(len(table)),
        options={"mip_rel_gap": 0.0, "node_limit": NODES},
    )
    return found.x > 0.5 if found.status == 0 else None
