"""Do reports fall among their predictions as they should: evenly, neither crowded nor too often far out?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from scipy.stats import kstest

from .contract import Check, Result, Seen, gate

_LEAST: Final = 30
_LEVEL: Final = 0.001


class Pit(Check):
    """Probability integral transforms of the reports that can be left out by weights, against the uniform.

    Counts are discrete and ranges wide: each transform is drawn evenly within the probability of what was reported.
    The distance is that of Kolmogorov.
    """

    name: ClassVar[str] = "pit"
    order: ClassVar[int] = 25
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """A distance that chance alone would give in one of 1,000 cases or more often."""
        found = seen.left_out
        low, high = found.below[found.reliable], 1 - found.above[found.reliable]
        if len(low) < _LEAST:
            words = (
                f"{len(low)} reports can be left out without a refit: too few to look at their distribution."
            )
            return [Result(self.name, "informational", None, None, words)]
        # The same numbers whenever the same run is checked.
        values = low + np.random.default_rng(0).uniform(size=len(low)) * np.clip(high - low, 0.0, 1.0)
        test = kstest(values, "uniform")
        limit = float(np.sqrt(-0.5 * np.log(_LEVEL / 2) / len(values)))
        words = (
            f"Over {len(values)} reports predicted from all others the distribution of their ranks is "
            f"{test.statistic:.3f} from the uniform; chance alone seldom gives more than {limit:.3f}."
        )
        return [gate(self.name, float(test.statistic), limit, bool(test.statistic <= limit), words)]
