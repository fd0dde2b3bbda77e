"""Do the chains agree?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate, limit_of


class Rhat(Check):
    """Rank-normalised split R-hat (Vehtari et al. 2021) of hyperparameters, aggregates and cells."""

    name: ClassVar[str] = "rhat"
    order: ClassVar[int] = 10
    gate: ClassVar[bool] = True
    verdicts: ClassVar[tuple[str, ...]] = ("rhat", "rhat_cells")

    def run(self, seen: Seen) -> list[Result]:
        """Below 1.01 for hyperparameters and published aggregates, below 1.05 for cells; of a draft 1.05 and 1.1."""
        d = seen.diagnostics
        if d.chain is None:
            words = "The draws are exchangeable: there are no chains to disagree."
            return [Result(name, "informational", None, None, words) for name in ("rhat", "rhat_cells")]
        draft = limit_of(d.aim)
        worst = max(d.gated, key=lambda c: c.rhat)
        return [
            gate(
                "rhat", worst.rhat, d.aim.rhat, worst.rhat < d.aim.rhat,
                f"Chains agree to an R-hat of {worst.rhat:.3f} at worst ({worst.rhat_at or 'nothing varies'}), over "
                f"{' and '.join(d.counted)}.{draft}",
            ),
            gate(
                "rhat_cells", d.cells.rhat, d.aim.rhat_cells, d.cells.rhat < d.aim.rhat_cells,
                f"Over {d.cells.quantities} cell rates the worst R-hat is {d.cells.rhat:.3f}.{draft}",
            ),
        ]  # fmt: skip
