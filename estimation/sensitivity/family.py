"""Scenarios that any plan may ask for by name: a family is one file in ``builtin/``, found by scanning the folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, Protocol, runtime_checkable

from ...models.terms import Effect, Settings
from ..binding import Bound
from ..plan import Plan
from ..scan import scan
from ..sections import ScenarioSpec
from . import builtin as folder


@runtime_checkable
class Family(Protocol):
    """Scenarios of one judgement."""

    name: ClassVar[str]
    order: ClassVar[int]

    def sentence(self) -> str:
        """What it varies, in one sentence."""
        ...

    def scenarios(self, plan: Plan, bound: Bound) -> Iterator[ScenarioSpec]:
        """Its scenarios of a plan bound to its data; none where the plan rests on no such judgement."""
        ...


@cache
def families() -> tuple[Family, ...]:
    """One instance of each family, in order."""
    return scan(folder, Family)


def written(effects: tuple[tuple[Effect, Settings], ...]) -> list[dict[str, Any]]:
    """Effects as a plan writes them, the default set among them."""
    return [
        {"kind": effect.name, **settings.model_dump(mode="json", exclude_unset=True)}
        for effect, settings in effects
    ]
