"""Does a report surprise all the others?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from scipy.stats import binom

from .contract import Check, Result, Seen

_LEVEL: Final = 0.01


class Loo(Check):
    """Reports whose predictive probability is below 0.01 when their group is left out, against what chance gives.

    A group that decides its own rates cannot be left out by weights; its own prediction, which is kinder, stands in.
    """

    name: ClassVar[str] = "loo"
    order: ClassVar[int] = 24
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """No more than chance would give in 99 of 100 cases."""
        found = seen.left_out
        if not found.reports:
            return [Result(self.name, "informational", None, None, "No report can be left out.")]
        surprise = found.surprise
        odd = np.flatnonzero(surprise < _LEVEL)
        allowed = float(binom.ppf(1 - _LEVEL, len(surprise), _LEVEL))
        good = len(odd) <= allowed
        kept = int((~found.reliable).sum())
        words = (
            f"{len(odd)} of {len(surprise)} reports have a predictive probability below {_LEVEL:g} given all others "
            f"(up to {allowed:.0f} by chance)"
        )
        if len(odd):
            worst = found.reports[int(surprise.argmin())]
            words += (
                f"; the least is {surprise.min():.3f} ({worst.jurisdiction}, {worst.period}, {worst.stage})"
            )
        words += f". {kept} could not be left out without a refit." if kept else "."
        places = () if good else tuple(
            {"offense": r.offense, "jurisdiction": r.jurisdiction, "period": r.period, "stage": r.stage}
            for r in (found.reports[at] for at in odd)
        )  # fmt: skip
        return [Result(self.name, "passed" if good else "failed", float(len(odd)), allowed, words, places)]
