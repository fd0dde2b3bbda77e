"""How much an offense's rate may depend on its share of a place's referrals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..context import context_scenarios
from ..family import Family


class Contextual(Family):
    """The scale of the contextual slope: none, once, twice the plan's."""

    name: ClassVar[str] = "contextual scale"
    order: ClassVar[int] = 75

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "How much an offense's rate may depend on its share of the referrals: not at all, as planned, twice."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """Those that are not the plan's own; none where the term would be in no rate."""
        return context_scenarios(bound)
