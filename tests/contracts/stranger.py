"""A report kind and an effect that the package has never heard of, each as a file of its folder would be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pytensor.tensor.variable import TensorVariable

from attrition.data.axes import Axes
from attrition.data.errors import Problem
from attrition.data.panel import Panel
from attrition.data.statement import Statement
from attrition.models import terms
from attrition.models.basis import Basis
from attrition.models.batches import Batch, Parts
from attrition.models.contract import ReportKind
from attrition.models.sums.op import sum_logp


class SampleShare(ReportKind):
    """The share of a sample of known size, printed with two decimals."""

    name: ClassVar[str] = "sample_share"
    layer: ClassVar = "report"
    order: ClassVar[int] = 55
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "a sample below fifty is exact"
    example: ClassVar[str] = "[kind.sample_share]\nsample = 200\n"

    class Settings(terms.Settings):
        """``sample``: how many units the shares are of."""

        sample: int = 200

    def sentence(self) -> str:
        return "The share of a sample is known."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        return statement.share_of == "referral"

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        return []

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        assert statement.count is not None
        return (
            float(math.ceil((statement.count - 0.005) * settings.sample)),
            math.ceil((statement.count + 0.005) * settings.sample) - 1.0,
        )

    def logp(self, parts: Parts, batch: Batch, settings: Any) -> TensorVariable:
        return sum_logp(parts.log_pi, parts.n, batch.low, batch.high, parts.log_poisson)

    def replicate(
        self, rng: np.random.Generator, count: float, statement: Statement, settings: Any
    ) -> Statement:
        return replace(statement, count=round(count / settings.sample, 2))


class Season:
    """Quarters of the year differ."""

    name: ClassVar[str] = "season"
    order: ClassVar[int] = 35
    example: ClassVar[str] = '[[effect]]\nkind = "season"\n'

    class Settings(terms.Settings):
        """No settings."""

    def sentence(self) -> str:
        return "Quarters of the year differ."

    def equation(self) -> str:
        return "q[s,t]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        quarter = np.array([int(leaf[-1]) - 1 for leaf in axes.period.leaves])
        matrix = np.eye(4)[quarter]
        return (terms.Block("season", ("period",), (Basis(matrix, matrix),)),)
