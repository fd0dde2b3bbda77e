"""The funnel: ordered stages, the units they count, and the steps between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class Step:
    """A step from one stage to a later one.

    Parameters
    ----------
    source, target : int
        Positions of the two stages in the funnel.
    name : str
        ``"<source>-<target>"``, e.g. ``"referral-arrest"``.
    kind : {"probability", "ratio"}
        A step whose unit changes, or one of whose stages counts in several units, is a ratio: expected
        outcomes per unit, which may exceed 1.
    assumed : str
        The reason the plan gives for treating differing units as one to one; empty otherwise.
    """

    source: int
    target: int
    name: str
    kind: Literal["probability", "ratio"]
    assumed: str = ""


@dataclass(frozen=True)
class Funnel:
    """Ordered stages of a case.

    Parameters
    ----------
    stages : tuple of str
        Names in order, at least two.
    units : mapping of str to str or tuple of str
        Unit class of each stage (report, case, person, charge, other), several where sources count in
        several, the usual one first. Absent: all the same.
    assume_one_to_one : mapping of str to str
        Step name to the reason why its outcome is at most one per unit although the units differ.
    max_per_unit : mapping of str to float
        Ratio step name to the largest possible number of outcomes per unit, where one is known.
    """

    stages: tuple[str, ...]
    units: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    assume_one_to_one: Mapping[str, str] = field(default_factory=dict)
    max_per_unit: Mapping[str, float] = field(default_factory=dict)

    def classes(self, stage: str) -> tuple[str, ...]:
        """Unit classes of a stage, the usual one first; ``report`` where the plan says nothing."""
        found = self.units.get(stage, "report")
        return (found,) if isinstance(found, str) else tuple(found)

    def unit(self, stage: str) -> str:
        """Unit of a stage in words: its class, or ``"case or person"`` where it counts in several."""
        return " or ".join(self.classes(stage))

    def index(self, stage: str) -> int:
        """Position of a stage."""
        return self.stages.index(stage)

    def step(self, source: int, target: int) -> Step:
        """The step between two stages, consecutive or not; a ratio when any step inside it is one."""
        name = f"{self.stages[source]}-{self.stages[target]}"
        if target - source > 1 and name not in self.assume_one_to_one:
            inner = [self.step(i, i + 1) for i in range(source, target)]
            kind: Literal["probability", "ratio"] = (
                "ratio" if any(s.kind == "ratio" for s in inner) else "probability"
            )
            return Step(source, target, name, kind, "; ".join(s.assumed for s in inner if s.assumed))
        assumed = self.assume_one_to_one.get(name, "")
        units = {*self.classes(self.stages[source]), *self.classes(self.stages[target])}
        same = len(units) == 1
        return Step(source, target, name, "probability" if same or assumed else "ratio", assumed)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The consecutive steps, one fewer than the stages."""
        return tuple(self.step(i, i + 1) for i in range(len(self.stages) - 1))

    @property
    def end_to_end(self) -> Step:
        """The step from the first stage to the last."""
        return self.step(0, len(self.stages) - 1)
