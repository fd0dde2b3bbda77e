"""Small linked tables, written out as a run stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attrition.estimation.disclosure.counts import Counts, linked_counts

AXES = ("offense", "jurisdiction", "period")


def line(stage: str, offense: str, jurisdiction: str, count: float | None, **more: Any) -> dict[str, Any]:
    """A line of ``intake.json``."""
    return {
        "id": f"{stage}:{offense}:{jurisdiction}", "stage": stage, "offense": offense, "jurisdiction": jurisdiction,
        "period": "all", "relation": "exact", "count": count, "low": None, "high": None, "role": "use",
        "origin": "referred_only", "clock": "cohort", "status": "used", "reason": "", "note": "",
    } | more  # fmt: skip


def blueprint(
    offenses: int, places: int, stages: Sequence[str] = ("referral",), kind: str = "probability"
) -> dict[str, Any]:
    """Flat trees of so many leaves; one period."""

    def axis(prefix: str, leaves: int) -> list[dict[str, Any]]:
        root: list[dict[str, Any]] = [{"name": "all", "label": "all", "parent": None}]
        return root + [{"name": f"{prefix}{i}", "label": "", "parent": "all"} for i in range(leaves)]

    axes = {"offense": axis("o", offenses), "jurisdiction": axis("j", places), "period": axis("t", 0)}
    steps = [{"kind": kind} for _ in stages[1:]]
    return {"axes": axes, "funnel": {"stages": list(stages)}, "steps": steps, "plan": {}}


def lines_of(counts: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Exact cells of each stage; NaN for none."""
    return [
        line(stage, f"o{o}", f"j{j}", float(value))
        for stage, grid in counts.items()
        for (o, j), value in np.ndenumerate(np.asarray(grid, dtype=float))
        if value == value
    ]


def counts_of(k: int, **stages: Sequence[Sequence[float]]) -> Counts:
    """The linked counts of offense × place tables, one a stage."""
    grids = {name: np.asarray(rows, dtype=float) for name, rows in stages.items()}
    shape = next(iter(grids.values())).shape
    return linked_counts(blueprint(*shape, tuple(grids)), lines_of(grids), k)
