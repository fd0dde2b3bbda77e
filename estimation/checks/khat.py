"""Can the weights of the scales' points be trusted?"""

from __future__ import annotations

from typing import ClassVar

from ..engines.choose import KHAT
from .contract import Check, Result, Seen, gate


class Khat(Check):
    """Shape of the tail of the importance weights (Vehtari et al. 2024), where draws come from weighted points."""

    name: ClassVar[str] = "khat"
    order: ClassVar[int] = 14
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """Below 0.7."""
        found = seen.diagnostics.khat
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
        words = f"The weights of the scales' points have a k-hat of {found:.2f} at worst."
        return [gate(self.name, found, KHAT, found < KHAT, words)]
