"""Totals that cross: national totals by offense beside totals by jurisdiction, the cells of both unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt

from ...data.names import AXES
from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Group, PartKind
from ..elimination import lattice_index
from ..paths import TENSOR, ratio_mean


class Crossing(PartKind):
    """Several totals share cells and neither contains the other: one normal density for all of them.

    Mean and covariance are exact, A μ and A diag(v) A' over the independent counts of the cells. A total that follows
    from the others, as the grand total does from either margin, is left out.
    """

    name: ClassVar[str] = "crossing"
    layer: ClassVar = "parts"
    order: ClassVar[int] = 35
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = (
        "totals that determine each other's cells are exact; of one total alone it is the normal limit"
    )
    example: ClassVar[str] = (
        "offense,jurisdiction,period,referral,investigation\n"
        "possession,North,2024,412,\n"
        "possession,South,2024,388,\n"
        "enticement,North,2024,157,\n"
        "enticement,South,2024,203,\n"
        "possession,all,2024,,236\n"
        "all,North,2024,,171\n"
        "all,South,2024,,158\n"
        "# how many of the 236 investigations of possession were in the North was not reported\n"
    )

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return (
            "Several totals cross, and their cells are not known: the totals have one joint normal density."
        )

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Does it share cells with another exact sum of its stage, neither being within the other?"""
        mine = _below(statement, panel)
        others = (
            s
            for s in panel.statements
            if s.stage == statement.stage and s.relation == statement.relation == "exact"
        )
        return any(_cross(mine, _below(other, panel)) for other in others)

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Did the analyser find totals that cross?"""
        return group.members is not None

    def bind(self, batch: Batch, groups: Sequence[Group], panel: Panel, analysis: Analysis) -> Batch:
        """How sparse the totals of whole counts are among all whole numbers."""
        crossed = [group.members is not None for group in groups]
        if not all(crossed):
            return batch
        index = [lattice_index(group.members) for group in groups if group.members is not None]
        return batch.with_data({"log_index": np.log(np.array(index, dtype=float))})

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """Moments of the cells in place of their chances."""
        if batch.ratio:
            mean, variance = ratio_mean(rates.eta, batch, rates.ratio_steps, rates.phi, TENSOR)
        else:
            assert parts.log_pi is not None
            mean = batch.n * pt.exp(parts.log_pi[..., 1])
            variance = mean * pt.exp(parts.log_pi[..., 0])
        return replace(parts, eta=None, log_pi=None, log_mean=None, factor=None, mean=mean, variance=variance)


def _below(statement: Statement, panel: Panel) -> tuple[frozenset[int], ...]:
    """Leaves of a statement on each axis."""
    return tuple(frozenset(panel.axes[axis].positions[getattr(statement, axis)].tolist()) for axis in AXES)


def _cross(one: tuple[frozenset[int], ...], other: tuple[frozenset[int], ...]) -> bool:
    pairs = list(zip(one, other, strict=True))
    share = all(a & b for a, b in pairs)
    return share and not all(a <= b for a, b in pairs) and not all(b <= a for a, b in pairs)
