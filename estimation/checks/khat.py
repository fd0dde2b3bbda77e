"""Can the weights of the scales' points be trusted?"""

from __future__ import annotations

from typing import ClassVar

from ..engines.contract import KHAT
from .contract import Check, Result, Seen, gate


class Khat(Check):
    """Shape of the tail of importance weights (Vehtari et al. 2024), where draws come from weighted points.

    Those of the scales' points, and those of the field of one jurisdiction given the rest.
    """

    name: ClassVar[str] = "khat"
    order: ClassVar[int] = 14
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """Below 0.7."""
        found = seen.diagnostics.weights
        if found is None:
            return [
                Result(
                    self.name,
                    "informational",
                    None,
                    KHAT,
                    "The draws are a Markov chain's, and carry no weights.",
                )
            ]
        words = f"The weights of the scales' points have a k-hat of {found.khat:.2f} at worst."
        one = (
            f"Those of one jurisdiction's effects given the rest have a k-hat of {found.blocks:.2f} at worst."
        )
        return [
            gate(self.name, found.khat, KHAT, found.khat < KHAT, words),
            gate(f"{self.name}_blocks", found.blocks, KHAT, found.blocks < KHAT, one),
        ]
