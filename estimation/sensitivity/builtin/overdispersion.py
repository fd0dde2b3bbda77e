"""With and without an effect of single cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ....models.effects.cell import Cell
from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family, written


class Overdispersion(Family):
    """The cell effect taken away, or put in where the plan has none."""

    name: ClassVar[str] = "overdispersion"
    order: ClassVar[int] = 50

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "Single cells vary around what the other terms predict, or do not: the other of the two."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """The other form."""
        effects = written(bound.blueprint.effects)
        rest = [entry for entry in effects if entry["kind"] != Cell.name]
        has = len(rest) < len(effects)
        yield ScenarioSpec(
            name="no overdispersion" if has else "overdispersion",
            reason="whether single cells vary more than chance is a judgement where counts are few",
            set={"effect": rest if has else [*rest, {"kind": Cell.name}]},
        )
