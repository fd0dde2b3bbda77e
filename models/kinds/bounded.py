"""The count is known to lie in a range: at least, at most, about, suppressed, rounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from pytensor.tensor.variable import TensorVariable

from ...data.errors import Problem
from ...data.limits import about, nearest
from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts
from ..contract import ReportKind
from ..negbin import negbin_chain
from ..sums.op import sum_logp

_RELATIONS = ("at_least", "at_most", "range", "suppressed", "rounded", "approx")


class Bounded(ReportKind):
    """The probability of an interval, of a cell or of a sum."""

    name: ClassVar[str] = "bounded"
    layer: ClassVar = "report"
    order: ClassVar[int] = 50
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "a range of one number is exact"
    example: ClassVar[str] = (
        '# plan.toml\n[[input]]\nfile = "data.csv"\ntokens = {"<5" = "suppressed 1..4"}\n\n'
        "# data.csv\noffense,jurisdiction,period,referral,investigation\npossession,North,2024,61,<5\n"
    )

    class Settings(terms.Settings):
        """``rounding``: the base to which counts called rounded were rounded."""

        rounding: int = Field(5, ge=2)

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "The count lies in a range (at least, at most, about, rounded or suppressed): the range's probability."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is the relation one of the bounds?"""
        return statement.relation in _RELATIONS

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        """Nothing beyond what the intake sees."""
        return []

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        """The inclusive range a report leaves open.

        ``rounded`` is conventional rounding to the base, ``approx`` rounding at the last digit that is not zero, and
        never finer than one part in a hundred; either may state its range instead.
        """
        if statement.low is not None:
            return statement.low, math.inf if statement.high is None else statement.high
        count = statement.count
        assert count is not None
        if statement.relation == "at_least":
            return count, math.inf
        if statement.relation == "at_most":
            return 0.0, count
        return nearest(count, self._grain(statement, settings))

    def _grain(self, statement: Statement, settings: Any) -> float:
        assert statement.count is not None
        if statement.low is not None and statement.high is not None:
            return statement.high - statement.low + 1
        if statement.relation == "rounded":
            return float(settings.rounding)
        return float(about(statement.count))

    def logp(self, parts: Parts, batch: Batch, settings: Any) -> TensorVariable:
        """Log probability of each range, (S,)."""
        if parts.log_mean is not None:
            assert parts.factor is not None
            return negbin_chain(batch.low, batch.high, parts.log_mean, parts.factor)
        return sum_logp(parts.log_pi, parts.n, batch.low, batch.high, parts.log_poisson)

    def replicate(
        self, rng: np.random.Generator, count: float, statement: Statement, settings: Any
    ) -> Statement:
        """What the same rule would have reported.

        A suppressed cell whose new count lies outside the range would have been printed; bounds, ranges and rough
        figures keep their width around the new count.
        """
        count = float(count)
        if statement.relation == "suppressed":
            low, high = self.range(statement, settings)
            if low <= count <= high:
                return statement
            return replace(statement, relation="exact", count=count, low=None, high=None)
        if statement.relation == "range":
            assert statement.low is not None
            width = (statement.high if statement.high is not None else statement.low) - statement.low
            low = max(0.0, count - float(rng.integers(0, int(width) + 1)))
            return replace(statement, low=low, high=low + width)
        if statement.relation in ("rounded", "approx"):
            low, high = _block(count, self._grain(statement, settings))
            return replace(statement, relation="range", count=None, low=low, high=high)
        return replace(statement, count=count)


def _block(count: float, base: float) -> tuple[float, float]:
    """The run of whole numbers that round to the same multiple of the base."""
    return nearest(math.floor(count / base + 0.5) * base, base)
