"""How much an offense's rate may depend on its share of a place's referrals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from ....models.effects.context import Context
from ...binding import Bound
from ...plan import Plan, ScenarioSpec
from ..family import Family, written

_SCALES: Final = (0.0, 1.0, 2.0)


class Contextual(Family):
    """The scale of the contextual slope: none, one, two."""

    name: ClassVar[str] = "contextual scale"
    order: ClassVar[int] = 75

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "How much an offense's rate may depend on its share of the referrals: not at all, some, much."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """The scales that are not the plan's; none where the model has no contextual term."""
        found = [settings for effect, settings in bound.blueprint.effects if effect.name == Context.name]
        if not found or not any(block.name == Context.name for block in bound.blueprint.blocks):
            return
        mine = found[0]
        assert isinstance(mine, Context.Settings)
        for scale in _SCALES:
            if scale != mine.scale:
                effects = [
                    {**entry, "scale": scale} if entry["kind"] == Context.name else entry
                    for entry in written(bound.blueprint.effects)
                ]
                yield ScenarioSpec(
                    name=f"contextual scale {scale:g}",
                    reason="no sum over offenses can tell it",
                    set={"effect": effects},
                )
