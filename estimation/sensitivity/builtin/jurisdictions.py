"""Each jurisdiction's outcomes left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family


class Jurisdictions(Family):
    """One scenario a jurisdiction with outcomes: it is read as one that did not report them."""

    name: ClassVar[str] = "jurisdictions"
    order: ClassVar[int] = 40

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "Each jurisdiction's outcomes left out in turn; its referrals stay."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """In the order of the axis; none where only one reports."""
        first, *later = bound.panel.funnel.stages
        heard = {s.jurisdiction for s in bound.panel.statements if s.stage != first}
        places = [leaf for leaf in bound.panel.axes.jurisdiction.leaves if leaf in heard]
        for place in places if len(places) > 1 else ():
            reason = f"what the answer owes to {place}"
            yield ScenarioSpec(
                name=f"without jurisdiction {place}",
                reason=reason,
                set={"exclude.+": {"jurisdiction": place, "stage": later, "reason": reason}},
            )
