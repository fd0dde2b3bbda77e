"""The contextual term at none, one and two times its scale: what rests on the judgement that no sum can settle."""

from __future__ import annotations

from collections.abc import Iterator

from ...models.effects.context import Context
from ...models.terms import Block
from ..binding import Bound
from ..sections import ScenarioSpec

_REASON = (
    "how much rates depend on the mix of offenses is a judgement, which sums over offenses cannot settle"
)


def context_scenarios(bound: Bound) -> Iterator[ScenarioSpec]:
    """The plan with none, one and two times the scale of its contextual term, its own left out.

    Parameters
    ----------
    bound : Bound

    Yields
    ------
    ScenarioSpec
        None where the term would be in no rate whatever its scale. Where the plan leaves it out, the scale is the
        default one.
    """
    blueprint = bound.blueprint
    given = {effect.name: settings for effect, settings in blueprint.effects}
    settings = given.get(Context.name, Context.Settings(scale=0))
    assert isinstance(settings, Context.Settings)
    base = settings.scale or Context.Settings().scale
    (term,) = Context().terms(settings.model_copy(update={"scale": base}), blueprint.panel.axes)
    assert isinstance(term, Block)
    if term.bound(blueprint.panel, blueprint.analysis).empty:
        return
    rest = [
        {"kind": effect.name, **other.model_dump(mode="json", exclude_unset=True)}
        for effect, other in blueprint.effects
        if effect.name != Context.name
    ]
    kept = settings.model_dump(mode="json", exclude_unset=True)
    for times in (0, 1, 2):
        if times * base != settings.scale:
            entry = {**kept, "kind": Context.name, "scale": times * base}
            yield ScenarioSpec(
                name=f"context, {times} times the scale", reason=_REASON, set={"effect": [*rest, entry]}
            )
