"""Units of a cohort were closed without the outcome: by a date so many can no longer convert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ...data.errors import Problem
from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from .bounded import Bounded


class Closed(Bounded):
    """How many units had been closed without reaching a stage: the competing end of a cohort that still develops.

    A report like an exact count or a range of one. What closing says of the rate is the kind ``immature``'s: a unit of
    the cohort converts at a lag, is closed at a lag, or is still pending.
    """

    name: ClassVar[str] = "closed"
    order: ClassVar[int] = 45
    limit: ClassVar[str] = "with nothing closed yet and closing that never comes it says nothing"
    example: ClassVar[str] = (
        "# plan.toml: outcomes are waited for during four quarters\n[kind.immature]\nhorizon = 4\n\n"
        "# long form: of 412 referrals 58 were investigated by the end of 2024, 290 closed without, 64 are pending\n"
        "# data.csv\n"
        "jurisdiction,period_start,period_end,offense,stage,relation,count,origin,as_of\n"
        "North,2024-01-01,2024-03-31,possession,referral,exact,412,referred_only,2024-12-31\n"
        "North,2024-01-01,2024-03-31,possession,investigation,exact,58,referred_only,2024-12-31\n"
        "North,2024-01-01,2024-03-31,possession,investigation,closed,290,referred_only,2024-12-31\n"
    )

    class Settings(terms.Settings):
        """No settings; those of the hazards of being closed are of ``immature``."""

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "So many units were closed without the outcome by a date and cannot have it any more; the others can."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is the relation ``closed``?"""
        return statement.closed

    def problems(self, statements: Sequence[Statement], panel: Panel) -> list[Problem]:
        """Nothing is closed without the first stage."""
        first, second = panel.funnel.stages[:2]
        return [
            Problem(
                f"closed without {first}",
                statement.where,
                statement.sentence(),
                "a stage after the first: the one that was not reached",
                f"write it with the stage it was closed without, as {second}",
            )
            for statement in statements
            if statement.stage == first
        ]

    def range(self, statement: Statement, settings: Any) -> tuple[float, float]:
        """The count of closed units, or its range."""
        if statement.count is not None:
            return statement.count, statement.count
        assert statement.low is not None
        assert statement.high is not None
        return statement.low, statement.high

    def replicate(
        self, rng: np.random.Generator, count: float, statement: Statement, settings: Any
    ) -> Statement:
        """Another count of closed units; a range keeps its width around it."""
        if statement.count is not None:
            return replace(statement, count=float(count))
        low, high = self.range(statement, settings)
        start = max(0.0, float(count) - float(rng.integers(0, int(high - low) + 1)))
        return replace(statement, low=start, high=start + high - low)
