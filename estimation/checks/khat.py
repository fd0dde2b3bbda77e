"""Can the weights of the scales' points be trusted?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from ..engines.contract import KHAT
from .contract import Check, Result, Seen, gate

_SHOWN: Final = 3


class Khat(Check):
    """Shape of the tail of importance weights (Vehtari et al. 2024), where draws come from weighted points.

    Those of the scales' points, and those of the field of each jurisdiction given the rest: the numbers of one that
    fails are withheld, and all numbers where many do.
    """

    name: ClassVar[str] = "khat"
    order: ClassVar[int] = 14
    gate: ClassVar[bool] = True
    verdicts: ClassVar[tuple[str, ...]] = ("khat", "khat_blocks")

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
        worst, failed = found.worst_block, found.failed
        one = f"Those of one jurisdiction's effects given the rest have a k-hat of {worst:.2f} at worst"
        one += f": {len(failed):,} of {len(found.blocks):,} fail ({_shown(failed)})." if failed else "."
        # Of one that fails the other numbers know little.
        affects = tuple({"jurisdiction": name} for name in failed) if found.usable else ()
        return [
            gate(self.name, found.khat, KHAT, found.khat < KHAT, words),
            replace(gate(f"{self.name}_blocks", worst, KHAT, not failed, one), affects=affects),
        ]


def _shown(names: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
