"""What the analyser found out, and what it did with each statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Known:
    """A count that statements determine exactly: of one cell at one stage.

    ``statements`` are the ids that determine it (several when it is a residual).
    """

    cell: int
    stage: int
    count: float
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the analyser did with a statement, for ``intake.json``.

    action : {"used", "unused", "dropped", "residual", "known"}
        ``known``: it fixes a denominator and has no density of its own (first stage).
    """

    statement: str
    action: Literal["used", "unused", "dropped", "residual", "known"]
    reason: str
    others: tuple[str, ...] = ()
