"""How much of the counts of every source began as referrals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from ....models.kinds.all_sources import AllSources
from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family

_SHARES: Final = {"low": (0.6, 0.98), "mid": (0.35, 0.85), "high": (0.1, 0.5)}


class Contamination(Family):
    """The share of other cases in all-source counts: low, in the middle, high."""

    name: ClassVar[str] = "contamination"
    order: ClassVar[int] = 20

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "The share of cases in all-source counts that did not begin as referrals: low, in the middle, high."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """Three ranges of the share that did, where a statement of the plan is read so."""
        if not any(AllSources.name in names for names in bound.blueprint.statement_kinds.values()):
            return
        for name, (low, high) in _SHARES.items():
            yield ScenarioSpec(
                name=f"contamination {name}",
                reason=f"nobody counted that share; here {low:.0%} to {high:.0%} began as referrals",
                set={f"kind.{AllSources.name}.share": [low, high]},
            )
