"""How long outcomes are waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ....models.kinds.immature import Immature
from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family


class Delay(Family):
    """The horizon of late outcomes, one period shorter and one longer."""

    name: ClassVar[str] = "delay horizon"
    order: ClassVar[int] = 70

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "How many periods an outcome is waited for: one fewer and one more."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """None where the plan takes counts as they stand."""
        settings = bound.blueprint.kind_settings[Immature.name]
        assert isinstance(settings, Immature.Settings)
        for name, horizon in (("shorter", settings.horizon - 1), ("longer", settings.horizon + 1)):
            if settings.horizon > 0 and horizon > 0:
                yield ScenarioSpec(
                    name=f"delay horizon {name}",
                    reason="beyond the horizon nothing is expected, which is a judgement",
                    set={f"kind.{Immature.name}.horizon": horizon},
                )
