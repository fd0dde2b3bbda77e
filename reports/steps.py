"""The steps of a run as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .numbers import Scale


@dataclass(frozen=True)
class StepView:
    """A step as people read it.

    Parameters
    ----------
    name : str
        ``"<stage>-<stage>"``.
    source, target : int
        Positions in the funnel.
    title : str
        ``"referral → arrest"``.
    kind : {"probability", "ratio"}
    assumed : str
        Why differing units were treated as one to one; empty where they were not.
    unit : str
        Unit class of the denominator; ``"case or person"`` where sources count in several.
    whole : bool
        From the first stage to the last.
    """

    name: str
    source: int
    target: int
    title: str
    kind: str
    assumed: str
    unit: str
    whole: bool

    @property
    def scale(self) -> Scale:
        """Per cent for a probability, outcomes per unit for a ratio."""
        return "percent" if self.kind == "probability" else "each"


def steps_of(blueprint: Mapping[str, Any], published: Iterable[str] = ()) -> tuple[StepView, ...]:
    """Consecutive steps, then published ones over several stages, then the whole way.

    Parameters
    ----------
    blueprint : mapping
        Of the run.
    published : iterable of str
        Names of the steps that have estimates.
    """
    stages = list(blueprint["funnel"]["stages"])
    known = {step["name"]: step for step in blueprint["steps"]}
    found = set(published)
    last = len(stages) - 1
    pairs = [(i, i + 1) for i in range(last)]
    pairs += [
        (i, j)
        for i in range(last)
        for j in range(i + 2, last + 1)
        if f"{stages[i]}-{stages[j]}" in found and (i, j) != (0, last)
    ]
    if last > 1:
        pairs.append((0, last))
    out = []
    for source, target in pairs:
        name = f"{stages[source]}-{stages[target]}"
        inside = [known[f"{stages[i]}-{stages[i + 1]}"] for i in range(source, target)]
        entry = known.get(name) or {
            "kind": "ratio" if any(s["kind"] == "ratio" for s in inside) else "probability",
            "assumed": "; ".join(s["assumed"] for s in inside if s.get("assumed")),
        }
        title = f"{words(stages[source])} → {words(stages[target])}"
        unit = unit_of(blueprint["funnel"], stages[source])
        assumed = entry.get("assumed") or ""
        whole = target - source == last
        out.append(StepView(name, source, target, title, entry["kind"], assumed, unit, whole))
    return tuple(out)


def unit_of(funnel: Mapping[str, Any], stage: str) -> str:
    """What a stage counts: its unit class, or several joined by "or"."""
    unit = (funnel.get("units") or {}).get(stage, "report")
    return unit if isinstance(unit, str) else " or ".join(unit)


def words(name: str) -> str:
    """A name as people read it."""
    return name.replace("_", " ")
