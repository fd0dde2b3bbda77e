"""Did the sampler lose its way?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate


class Divergences(Check):
    """Divergent transitions: places where the simulated trajectory broke down."""

    name: ClassVar[str] = "divergences"
    order: ClassVar[int] = 12
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """None is allowed."""
        if seen.diagnostics.chain is None:
            return [Result(self.name, "informational", None, 0, "No Markov chain was run.")]
        found = seen.diagnostics.chain.divergences
        words = "No transition diverged." if not found else f"{found} transitions diverged."
        return [gate(self.name, found, 0, found == 0, words)]
