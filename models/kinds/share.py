"""Only a rate is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pydantic import Field
from pytensor.tensor.variable import TensorVariable
from scipy.special import expit, logit, ndtri

from ...data.errors import Problem
from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts
from ..contract import Analysis, Decision, Floats, Group, GroupOrigin, ReportKind

_SMALLEST = 0.1  # where a range begins at zero, its lower end is taken as this part of the upper one
_LARGEST = 1 - 1e-6


class Share(ReportKind):
    """A published rate: a normal quasi-likelihood for the link of the aggregate's rate, with a stated weight."""

    name: ClassVar[str] = "share"
    layer: ClassVar = "report"
    order: ClassVar[int] = 60
    soft: ClassVar[bool] = True
    limit: ClassVar[str] = "it has none: a rate without its counts never becomes a count"
    example: ClassVar[str] = (
        "# long form: between 5 and 8 per cent of North's referrals of 2024 led to an arrest\n"
        "jurisdiction,period_start,period_end,offense,stage,relation,count,count_low,count_high,origin\n"
        "North,2024,2024,all,referral,exact,412,,,\n"
        "North,2024,2024,all,arrest,share_of_referral,,0.05,0.08,referred_only\n"
    )

    class Settings(terms.Settings):
        """Settings of the quasi-likelihood.

        ``covers``: how much of the rate's law a published range holds. ``sd``: for a single published value, the sd
        on the link scale. ``weight``: power to which the density is raised.
        """

        covers: float = Field(0.8, gt=0, lt=1)
        sd: float = Field(0.3, gt=0)
        weight: float = Field(0.5, gt=0, le=1)

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "Only a rate was published: it informs the rate of its cells together, softly, with a stated weight."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is the relation a share of an earlier stage?"""
        return statement.share_of is not None

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        """Nothing beyond what the intake sees."""
        return []

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        """The published range of the rate, not of a count."""
        if statement.count is not None:
            return statement.count, statement.count
        assert statement.low is not None
        assert statement.high is not None
        return statement.low, statement.high

    def group(
        self, statement: Statement, panel: Panel, analysis: Analysis, settings: Any
    ) -> Group | Decision:
        """The cells of the rate, weighted by their counts at the denominator's stage."""
        cells = panel.cells(statement)
        low, high = self.range(statement, settings)
        if panel.arrangement is not None and statement.id in panel.arrangement.parts:
            return Decision(statement.id, "unused", "a rate of a part of an unsplit total")
        if high <= 0:
            return Decision(statement.id, "unused", "a rate of zero has no link")
        assert statement.share_of is not None
        start = panel.funnel.index(statement.share_of)
        n = analysis.counts[start, cells]
        if np.isnan(n).any():
            n = analysis.counts[0, cells]
        if np.isnan(n).any() and len(cells) > 1:
            return Decision(statement.id, "unused", "the denominators of its cells are not known")
        n = np.where(np.isnan(n), 1.0, n)
        if not (n > 0).any():
            return Decision(statement.id, "unused", "its denominators are 0")
        keep = n > 0
        origin: GroupOrigin = "referred"
        if statement.origin != "referred_only":
            origin = "between" if start > 0 else statement.origin
        return Group(
            cells=cells[keep],
            start=np.full(int(keep.sum()), start),
            n=n[keep],
            end=np.full(int(keep.sum()), -1),
            stages=(panel.funnel.index(statement.stage),),
            low=np.array([low]),
            high=np.array([high]),
            statements=((statement.id,),),
            origin=origin,
        )

    def logp(self, parts: Parts, batch: Batch, settings: Any) -> TensorVariable:
        """Log quasi-likelihood of each rate, (S,)."""
        size = batch.n.sum(axis=1)
        if parts.log_mean is not None:
            value = parts.log_mean[:, 0] - np.log(size)
        else:
            assert parts.log_pi is not None
            reached = (pt.exp(parts.log_pi[..., -1]) * batch.n).sum(axis=1)
            if parts.log_poisson is not None:
                reached = reached + pt.exp(parts.log_poisson[:, -1])
            rate = pt.minimum(reached / size, _LARGEST)
            value = pt.log(rate) - pt.log1p(-rate)
        centre, sd = _law(batch, settings)
        return settings.weight * (-0.5 * ((value - centre) / sd) ** 2 - np.log(sd))

    def centre(self, batch: Batch, settings: Any) -> Floats:
        """The middle of each published rate on the link scale, as a count, (S,)."""
        middle, _ = _law(batch, settings)
        return batch.n.sum(axis=1) * (np.exp(middle) if batch.ratio else expit(middle))

    def published(
        self, rng: np.random.Generator, expected: Floats, batch: Batch, settings: Any
    ) -> tuple[Floats, Floats]:
        """Replicates of that middle, normal on the link scale, and its variance as a count to first order."""
        size = batch.n.sum(axis=1)
        sd = _law(batch, settings)[1] / np.sqrt(settings.weight)
        away = sd * rng.normal(size=expected.shape)
        if batch.ratio:
            return (expected * sd) ** 2, expected * np.exp(away)
        rate = np.clip(expected / size, 1e-12, _LARGEST)
        return (size * rate * (1 - rate) * sd) ** 2, size * expit(logit(rate) + away)

    def restated(self, statement: Statement, middle: float, batch: Batch, settings: Any) -> Statement:
        """A rate published around another middle; on the link scale its range is as wide."""
        rate = middle / float(batch.n.sum())
        if statement.count is not None:
            return replace(statement, count=rate)
        low, high = (float(end[0]) for end in _ends(batch))
        link, inverse = (np.log, np.exp) if batch.ratio else (logit, expit)
        ends = (float(inverse(link(rate) + side * (high - low) / 2)) for side in (-1, 1))
        return replace(statement, low=next(ends), high=next(ends))


def _ends(batch: Batch) -> tuple[Floats, Floats]:
    """The ends of each published range on the link scale, (S,) each."""
    low, high = batch.low[:, 0], batch.high[:, 0]
    low = np.where(low == high, low, np.maximum(low, _SMALLEST * high))
    if batch.ratio:
        return np.log(low), np.log(high)
    low, high = np.minimum(low, _LARGEST), np.minimum(high, _LARGEST)
    return np.log(low) - np.log1p(-low), np.log(high) - np.log1p(-high)


def _law(batch: Batch, settings: Any) -> tuple[Floats, Floats]:
    """Middle of each published rate on the link scale, and the sd that its range stands for, (S,) each."""
    low, high = _ends(batch)
    half = float(-ndtri((1 - settings.covers) / 2))
    return (low + high) / 2, np.where(high > low, (high - low) / (2 * half), settings.sd)
