"""The other form of the time effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, get_args

from ....models.effects.time import Time
from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family, written


class TimeForm(Family):
    """Time as a random walk, or as exchangeable periods."""

    name: ClassVar[str] = "time form"
    order: ClassVar[int] = 60

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "The other forms of the time effect."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """Every form that is not the plan's; none where the model has no time effect or one period."""
        found = [settings for effect, settings in bound.blueprint.effects if effect.name == Time.name]
        if not found or not any(block.name == Time.name for block in bound.blueprint.blocks):
            return
        mine = found[0]
        assert isinstance(mine, Time.Settings)
        for form in get_args(Time.Settings.model_fields["over"].annotation):
            if form != mine.over:
                effects = [
                    {**entry, "over": form} if entry["kind"] == Time.name else entry
                    for entry in written(bound.blueprint.effects)
                ]
                yield ScenarioSpec(
                    name=f"time as {form}",
                    reason="how close one period is to the next is a judgement",
                    set={"effect": effects},
                )
