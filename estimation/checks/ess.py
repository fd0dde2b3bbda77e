"""Are there enough effective draws?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate, limit_of


class Ess(Check):
    """Bulk effective sample size of hyperparameters, aggregates and cells."""

    name: ClassVar[str] = "ess"
    order: ClassVar[int] = 11
    gate: ClassVar[bool] = True
    verdicts: ClassVar[tuple[str, ...]] = ("ess", "ess_cells")

    def run(self, seen: Seen) -> list[Result]:
        """At least 1,000 for hyperparameters and published aggregates, 400 for cells; of a draft 100 and 40."""
        d = seen.diagnostics
        draft = limit_of(d.aim)
        worst = min(d.gated, key=lambda c: c.ess)
        more = (
            f" By batches over points no Monte-Carlo error is above {d.error:.3f} posterior standard deviations."
            if d.error is not None
            else ""
        ) + draft
        return [
            gate(
                "ess", worst.ess, d.aim.ess, worst.ess >= d.aim.ess,
                f"The least effective sample size is {worst.ess:,.0f} ({worst.ess_at or 'nothing varies'}).{more}",
            ),
            gate(
                "ess_cells", d.cells.ess, d.aim.ess_cells, d.cells.ess >= d.aim.ess_cells,
                f"Over {d.cells.quantities} cell rates the least effective sample size is {d.cells.ess:,.0f}.{draft}",
            ),
        ]  # fmt: skip
