"""Are there enough effective draws?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate


class Ess(Check):
    """Bulk effective sample size of hyperparameters, aggregates and cells."""

    name: ClassVar[str] = "ess"
    order: ClassVar[int] = 11
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """At least 1,000 for hyperparameters and published aggregates, 400 for cells."""
        d = seen.diagnostics
        worst = min(d.gated, key=lambda c: c.ess)
        batches = (
            f" By batches over points no Monte-Carlo error is above {d.error:.3f} posterior standard deviations."
            if d.error is not None
            else ""
        )
        return [
            gate(
                "ess", worst.ess, 1000, worst.ess >= 1000,
                f"The least effective sample size is {worst.ess:,.0f} ({worst.ess_at or 'nothing varies'}).{batches}",
            ),
            gate(
                "ess_cells", d.cells.ess, 400, d.cells.ess >= 400,
                f"Over {d.cells.quantities} cell rates the least effective sample size is {d.cells.ess:,.0f}.",
            ),
        ]  # fmt: skip
