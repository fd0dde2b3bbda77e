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
        ranges: dict[str, set[tuple[float, float]]] = {}
        for report, hit in zip(seen.reports, hidden, strict=True):
            if hit:
                ranges.setdefault(report.stage, set()).add((report.low, report.high))
        # Of several rules, which of them an open count would have met is not known.
        rules = {stage: ends.pop() for stage, ends in ranges.items() if len(ends) == 1}
        counted = dict.fromkeys(rules, 0)
        inside = {stage: np.zeros(1) for stage in rules}
        for part in seen.predicted:
            stages = np.array([r.stage for r in part.shown], dtype=object)
            for stage, (low, high) in rules.items():
                pick = np.flatnonzero((exact | hidden)[part.reports] & (stages == stage))
                drawn = part.moments.replicate[:, pick]
                inside[stage] = inside[stage] + ((drawn >= low) & (drawn <= high)).sum(axis=1)
                counted[stage] += len(pick)
        found: dict[str, tuple[float, float, float]] = {}
        for stage, hits in inside.items():
            share = hits / counted[stage]
            real = (
                sum(r.stage == stage for r, hit in zip(seen.reports, hidden, strict=True) if hit)
                / counted[stage]
            )
            above = float((share > real).mean() + 0.5 * (share == real).mean())
            found[stage] = (2 * min(above, 1 - above), real, float(share.mean()))
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
