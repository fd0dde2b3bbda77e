"""Does the sampler move through the energy levels?"""

from __future__ import annotations

from typing import ClassVar

from .contract import Check, Result, Seen, gate


class Ebfmi(Check):
    """Estimated Bayesian fraction of missing information (Betancourt 2016), the least over chains."""

    name: ClassVar[str] = "ebfmi"
    order: ClassVar[int] = 13
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """Above 0.3."""
        if seen.diagnostics.chain is None:
            return [Result(self.name, "informational", None, 0.3, "No Markov chain was run.")]
        value = seen.diagnostics.chain.ebfmi
        return [
            gate(self.name, value, 0.3, value > 0.3, f"The least energy fraction over chains is {value:.2f}.")
        ]
