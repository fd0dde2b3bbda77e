"""Would as many counts have been suppressed?"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from .contract import Check, Result, Seen

_LEVEL: Final = 0.01
_RELATION: Final = "suppressed"


class Suppressed(Check):
    """Share of the single reports of a stage that fall into the range in which its source suppresses counts.

    A count in that range is suppressed wherever the source follows its rule, so that the model has to predict how many
    are. Compared with the replicates of the same reports.
    """

    name: ClassVar[str] = "ppc_suppressed"
    order: ClassVar[int] = 21
    gate: ClassVar[bool] = True

    def run(self, seen: Seen) -> list[Result]:
        """A two-sided predictive probability of at least 0.01 for each stage, over its range."""
        by_id = seen.blueprint.panel.by_id
        hidden = np.array(
            [all(by_id[name].relation == _RELATION for name in r.ids.split(" + ")) for r in seen.reports],
            dtype=bool,
        )
        if not hidden.any():
            return [Result(self.name, "informational", None, None, "No count is suppressed.")]
        # A published rate is no count that its source might have suppressed.
        exact = np.array([r.low == r.high and r.centre is None for r in seen.reports])
        stages = np.array([r.stage for r in seen.reports], dtype=object)
        found: dict[str, tuple[float, float, float]] = {}
        for stage in dict.fromkeys(stages[hidden]):
            ranges = {
                (r.low, r.high)
                for r, hit in zip(seen.reports, hidden & (stages == stage), strict=True)
                if hit
            }
            if len(ranges) > 1:
                continue  # several rules: which of them an open count would have met is not known
            low, high = ranges.pop()
            pick = np.flatnonzero((exact | hidden) & (stages == stage))
            drawn = seen.moments.replicate[:, pick]
            share = ((drawn >= low) & (drawn <= high)).mean(axis=1)
            real = float(hidden[pick].mean())
            above = float((share > real).mean() + 0.5 * (share == real).mean())
            found[str(stage)] = (2 * min(above, 1 - above), real, float(share.mean()))
        if not found:
            words = "Counts of one stage are suppressed by several rules, which cannot be replicated."
            return [Result(self.name, "informational", None, None, words)]
        worst = min(found, key=lambda stage: found[stage][0])
        least, real, expected = found[worst]
        words = (
            f"Of the counts of {worst}, {real:.0%} are suppressed where the model expects {expected:.0%} "
            f"(predictive probability {least:.3f})."
        )
        failed = tuple({"stage": stage} for stage, (p, _, _) in found.items() if p < _LEVEL)
        return [Result(self.name, "failed" if failed else "passed", least, _LEVEL, words, failed)]
