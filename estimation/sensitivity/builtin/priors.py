"""Priors of the scales, wider and tighter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from ...binding import Bound
from ...plan import Plan
from ...sections import ScenarioSpec
from ..family import Family, written

_SIZE: Final = {"half_normal": "scale", "exponential": "mean", "gamma": "mean"}


class Priors(Family):
    """Every prior scale of the field, doubled and halved."""

    name: ClassVar[str] = "priors"
    order: ClassVar[int] = 10

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        return "The priors of all spreads, twice as wide and half as wide."

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """Wider, tighter."""
        for name, factor in (("priors wider", 2.0), ("priors tighter", 0.5)):
            reason = "how much units may differ is a judgement"
            changes: dict[str, Any] = {"prior.spread": factor * plan.prior.spread}
            effects = [_scaled(entry, factor) for entry in written(bound.blueprint.effects)]
            if any(entry.get("sd") for entry in effects):
                changes["effect"] = effects
            if factor > 1 and not plan.prior.allow_extreme:
                changes["prior.allow_extreme"] = "a wider prior is tried"
            yield ScenarioSpec(name=name, reason=reason, set=changes)


def _scaled(entry: dict[str, Any], factor: float) -> dict[str, Any]:
    """An effect with its own prior scale multiplied."""
    sd = entry.get("sd")
    key = _SIZE.get(sd.get("dist", ""), "") if isinstance(sd, dict) else ""
    return {**entry, "sd": {**sd, key: factor * sd[key]}} if sd and key in sd else entry
