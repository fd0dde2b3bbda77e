"""Between which numbers a statement says its count lies."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .statement import Statement


def limits(statement: Statement) -> tuple[float, float] | None:
    """Lowest and highest value that a statement allows; None for rounded without a range, whose base a plan sets."""
    count, low, high = statement.count, statement.low, statement.high
    if statement.relation == "exact" and count is not None:
        return count, count
    if statement.relation == "approx" and count is not None:
        return nearest(count, about(count)) if low is None else (low, math.inf if high is None else high)
    if statement.relation == "at_least" and count is not None:
        return count, math.inf
    if statement.relation == "at_most" and count is not None:
        return 0.0, count
    if statement.relation in ("range", "suppressed", "rounded") and low is not None and high is not None:
        return low, high
    if statement.share_of is not None or statement.closed:
        if low is not None and high is not None:
            return low, high
        return None if count is None else (count, count)
    return None


def about(count: float) -> int:
    """The base to which an approximate count was rounded: its last digit that is not zero, or one part in a hundred."""
    digits = str(int(count))
    return max(10 ** (len(digits) - len(digits.rstrip("0"))) if int(count) else 1, math.ceil(count / 100), 2)


def nearest(count: float, base: float) -> tuple[float, float]:
    """Lowest and highest whole number that is rounded to ``count`` at a base."""
    return max(0.0, math.ceil(count - base / 2)), math.ceil(count + base / 2) - 1.0


def tightest(statements: Iterable[Statement]) -> tuple[Statement, Statement] | None:
    """The statement with the highest low end and the one with the lowest high end; None when all are soft."""
    hard = [(found, statement) for statement in statements if (found := limits(statement)) is not None]
    if not hard:
        return None
    floor = max(hard, key=lambda pair: pair[0][0])[1]
    ceiling = min(hard, key=lambda pair: pair[0][1])[1]
    return floor, ceiling
