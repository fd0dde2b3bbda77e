"""Which scenarios are asked for: those of the plan, a list in one of them opened to a grid, and those built in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...data.errors import InputError, Problem, did_you_mean
from ...models.spec import read_effects, read_kinds
from ..binding import Bound
from ..patches import APPEND, merge_patches
from ..plan import Plan, read_plan
from ..sections import ScenarioSpec
from .family import families

OPTION: Final = "--scenario"
RELEASED: Final = "plan, [release] scenarios"
USUAL: Final = (
    "priors wider",
    "priors tighter",
    "contamination low",
    "contamination high",
    "silent places lower",
)


@dataclass(frozen=True)
class Asked:
    """A scenario that somebody may ask for.

    Parameters
    ----------
    spec : ScenarioSpec
    family : str
        The entry of the plan, or the family built in, that it belongs to.
    own : bool
        The plan writes it.
    """

    spec: ScenarioSpec
    family: str
    own: bool


def known(plan: Plan, bound: Bound) -> tuple[Asked, ...]:
    """Every scenario of a plan: its own in their order, grids opened, then those built in."""
    own = [Asked(child, spec.name, True) for spec in plan.scenario for child in grid(plan, spec)]
    taken = {one.spec.name for one in own} | {one.family for one in own}
    return (
        *own,
        *(
            Asked(spec, family.name, False)
            for family in families()
            if family.name not in taken
            for spec in family.scenarios(plan, bound)
            if spec.name not in taken
        ),
    )


def asked(
    plan: Plan, there: Sequence[Asked], names: Iterable[str] | None, where: str = OPTION
) -> tuple[list[Asked], list[Problem]]:
    """Those of the known scenarios that are meant, in their order, and what is wrong with the names.

    Parameters
    ----------
    plan : Plan
    there : sequence of Asked
    names : iterable of str or None
        Of scenarios or of families; None for ``[vary] scenarios``, and without it for all that the plan writes. A
        release without names takes those that the plan writes, else those of ``USUAL`` that there are.
    where : str
        What messages call the place of the names.
    """
    built = [family.name for family in families()]
    own = [one for one in there if one.own]
    if names is None and where == RELEASED:
        return own or [one for one in there if one.spec.name in USUAL], _twice(plan)
    if names is None and plan.vary.scenarios is None:
        advice = "add one: name, reason, set = {key = value}; or name one that is built in"
        none = Problem(
            "the plan has no [[scenario]]", str(plan.file or "plan"), do=f"{advice}: {', '.join(built)}"
        )
        return own, [*_twice(plan), *([] if own else [none])]
    if names is None:
        names, where = plan.vary.scenarios or (), "plan, [vary] scenarios"
    wanted = list(dict.fromkeys(names))
    named = {name for one in there for name in (one.spec.name, one.family)}
    problems = [
        Problem("the plan rests on no such judgement", where, repr(name), do="ask for another scenario")
        if name in built
        else Problem("no such scenario", where, repr(name), do=did_you_mean(name, [*named, *built]))
        for name in wanted
        if name not in named
    ]
    return [one for one in there if {one.spec.name, one.family} & set(wanted)], [*_twice(plan), *problems]


def _twice(plan: Plan) -> list[Problem]:
    names = [spec.name for spec in plan.scenario]
    return [
        Problem(
            f"{names.count(name)} scenarios have this name", f"scenario {name!r}", do="rename all but one"
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def grid(plan: Plan, spec: ScenarioSpec) -> list[ScenarioSpec]:
    """A scenario of the plan, or one for each combination where it lists values of keys that take one."""
    lists = {key: value for key, value in spec.set.items() if _is_axis(plan, key, value)}
    if not lists:
        return [spec]
    return [
        spec.model_copy(
            update={
                "name": f"{spec.name}: {', '.join(map(_words, lists, values))}",
                "set": spec.set | dict(zip(lists, values, strict=True)),
            }
        )
        for values in itertools.product(*lists.values())
    ]


def _words(key: str, value: Any) -> str:
    return f"{key.rsplit('.', 1)[-1]} {value}"


def _is_axis(plan: Plan, key: str, value: Any) -> bool:
    """Is a list no value of its key, although each of its members is one?"""
    if not isinstance(value, list) or not value or key.endswith(APPEND):
        return False
    return not _allowed(plan, {key: value}) and all(_allowed(plan, {key: one}) for one in value)


def _allowed(plan: Plan, patch: Mapping[str, Any]) -> bool:
    if plan.file is None:
        return True
    try:
        read = read_plan(plan.file, merge_patches(plan.patches, patch))
        _, effects = read_effects(list(read.effect) if read.effect is not None else None)
        _, kinds = read_kinds(read.kind)
    except InputError:
        return False
    return not effects and not kinds
