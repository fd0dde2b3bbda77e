"""Places without outcomes, other than those with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np

from ...binding import Bound
from ...contraction import touched
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family

_SHIFTS: Final = (-1.0, 1.0)


class Silent(Family):
    """Places that published no outcomes, one standard deviation between places lower and higher."""

    name: ClassVar[str] = "silent places"
    order: ClassVar[int] = 80

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return (
            "Places that published no outcomes, one sd between places lower and higher than those that did."
        )

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """None where every place is heard on every step."""
        place, heard = bound.blueprint.layout.coordinates[1], touched(bound.blueprint)
        if all(np.isin(place, place[row]).all() for row in heard):
            return
        # A shift on the logit or in the rate is no number of standard deviations to add one to.
        alike = plan.assume.silent_unit == "sd"
        middle = plan.assume.silent_shift if alike else 0.0
        unit = {} if alike else {"assume.silent_unit": "sd"}
        for shift in _SHIFTS:
            yield ScenarioSpec(
                name=f"silent places {'lower' if shift < 0 else 'higher'}",
                reason="who does not report may differ from those who do",
                set={"assume.silent_shift": middle + shift, **unit},
            )
