"""The count is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable
from scipy.special import gammaln

from ...data.errors import Problem
from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts
from ..contract import ReportKind
from ..negbin import negbin_chain
from ..sums.normal import margins_logp
from ..sums.op import sum_logp


class Exact(ReportKind):
    """The probability of the count, of a cell or of a sum."""

    name: ClassVar[str] = "exact"
    layer: ClassVar = "report"
    order: ClassVar[int] = 40
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "it is the limit of the other report kinds"
    example: ClassVar[str] = (
        "offense,jurisdiction,period,referral,investigation,arrest\npossession,North,2024,412,96,31\n"
    )

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "The count is known: the probability of that count."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is the relation ``exact``?"""
        return statement.relation == "exact"

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        """Nothing beyond what the intake sees."""
        return []

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        """The count itself."""
        assert statement.count is not None
        return statement.count, statement.count

    def logp(self, parts: Parts, batch: Batch, settings: Any) -> TensorVariable:
        """Log probability of each count, (S,)."""
        count = batch.high[:, -1]
        if parts.mean is not None:
            log_index = batch.data["log_index"]
            return margins_logp(parts.mean, parts.variance, batch.members, batch.high) + log_index
        if parts.log_mean is not None:
            assert parts.factor is not None
            return negbin_chain(batch.low, batch.high, parts.log_mean, parts.factor)
        if parts.eta is not None:
            n = batch.n[:, 0]
            choose = gammaln(n + 1) - gammaln(count + 1) - gammaln(n - count + 1)
            if parts.concentration is not None:
                return choose + _beta_binomial(parts.eta, parts.concentration, count, n)
            return choose + count * parts.eta - n * pt.softplus(parts.eta)
        assert parts.log_pi is not None
        if batch.n.shape[1] == 1 and parts.log_poisson is None:
            return _multinomial(parts.log_pi[:, 0], batch)
        return sum_logp(parts.log_pi, parts.n, batch.low, batch.high, parts.log_poisson)

    def replicate(
        self, rng: np.random.Generator, count: float, statement: Statement, settings: Any
    ) -> Statement:
        """The count, as it is."""
        return replace(statement, count=float(count))


def _multinomial(log_pi: TensorVariable, batch: Batch) -> TensorVariable:
    """One cell, any number of stages: how many of its n units stopped where, (S,)."""
    n = batch.n[:, 0]
    stopped = -np.diff(np.column_stack([n, batch.high, np.zeros(len(n))]), axis=1)
    choose = gammaln(n + 1) - gammaln(stopped + 1).sum(axis=1)
    # 0 log 0 = 0: a category with no units does not ask for its chance.
    return choose + pt.where(stopped > 0, stopped * log_pi, 0.0).sum(axis=1)


def _beta_binomial(
    eta: TensorVariable, concentration: TensorVariable, count: np.ndarray, n: np.ndarray
) -> TensorVariable:
    """Beta-binomial log probability without the binomial coefficient; mean expit(eta), a + b = concentration."""
    a = concentration * pt.sigmoid(eta)
    b = concentration * pt.sigmoid(-eta)
    return (
        pt.gammaln(count + a)
        + pt.gammaln(n - count + b)
        - pt.gammaln(n + concentration)
        - pt.gammaln(a)
        - pt.gammaln(b)
        + pt.gammaln(concentration)
    )
