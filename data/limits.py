"""Between which numbers a statement says its count lies."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .statement import Statement


def limits(statement: Statement) -> tuple[float, float] | None:
    """Lowest and highest value that a statement allows; None for approx and for rounded without a range."""
    count, low, high = statement.count, statement.low, statement.high
    if statement.relation == "exact" and count is not None:
        return count, count
    if statement.relation == "at_least" and count is not None:
        return count, math.inf
    if statement.relation == "at_most" and count is not None:
        return 0.0, count
    if statement.relation in ("range", "suppressed", "rounded") and low is not None and high is not None:
        return low, high
    if statement.share_of is not None:
        if low is not None and high is not None:
            return low, high
        return None if count is None else (count, count)
    return None


def tightest(statements: Iterable[Statement]) -> tuple[Statement, Statement] | None:
    """The statement with the highest low end and the one with the lowest high end; None when all are soft."""
    hard = [(found, statement) for statement in statements if (found := limits(statement)) is not None]
    if not hard:
        return None
    floor = max(hard, key=lambda pair: pair[0][0])[1]
    ceiling = min(hard, key=lambda pair: pair[0][1])[1]
    return floor, ceiling
