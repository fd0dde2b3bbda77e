"""What the analyser found out, and what it did with each statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..data.lazy import Lazy, shared


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


def keep_facts(facts: Iterable[Known]) -> Sequence[Known]:
    """Known counts as columns."""
    cells: list[int] = []
    stages: list[int] = []
    counts: list[float] = []
    names: list[str | tuple[str, ...]] = []
    for fact in facts:
        cells.append(fact.cell)
        stages.append(fact.stage)
        counts.append(fact.count)
        names.append(packed(fact.statements))
    return Lazy(
        _known, np.array(cells, dtype=np.int64), np.array(stages, dtype=np.int8), np.array(counts), names
    )


def keep_decisions(decisions: Iterable[Decision]) -> Sequence[Decision]:
    """Decisions as columns, what is said of many statements once."""
    found = [(one.statement, (one.action, one.reason, one.others)) for one in decisions]
    return Lazy(_decision, [name for name, _ in found], shared(said for _, said in found))


def packed(names: tuple[str, ...]) -> str | tuple[str, ...]:
    """Ids of statements, a single one by itself: a tuple of one takes as much as the rest of a count."""
    return names[0] if len(names) == 1 else names


def unpacked(names: str | tuple[str, ...]) -> tuple[str, ...]:
    """What was packed."""
    return (names,) if isinstance(names, str) else names


def _known(cell: int, stage: int, count: float, names: str | tuple[str, ...]) -> Known:
    return Known(int(cell), int(stage), float(count), unpacked(names))


def _decision(
    statement: str,
    said: tuple[Literal["used", "unused", "dropped", "residual", "known"], str, tuple[str, ...]],
) -> Decision:
    return Decision(statement, *said)
