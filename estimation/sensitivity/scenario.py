"""A scenario: a named patch on a fingerprinted plan, checked against the data before anything is fitted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ...data.digest import digest
from ...data.errors import InputError, Problem
from ...data.names import REEVALUATED, REFITTED
from ..binding import Bound, bind_plan, run_identity
from ..engines.contract import WHOLE
from ..engines.laplace import fit as laplace
from ..patches import merge_patches
from ..plan import Plan, read_plan, settled
from ..sections import ScenarioSpec
from .asked import OPTION, Asked, asked, known
from .likeness import obstacle, same_posterior

NOT_PATCHED: Final = ("format", "name", "scenario", "vary", "release", "note")
# What these keys say reaches a fit through the statements and the axes alone.
_THROUGH_DATA: Final = ("input", "exclude", "prefer", "intake", "sources")


@dataclass(frozen=True)
class Scenario:
    """A scenario bound to its data.

    Parameters
    ----------
    name, reason : str
    set : dict
        Dotted keys and their values.
    plan : Plan
        The plan with them.
    identity : str
        Of the run it gives.
    warnings : tuple of str
        What its intake warns of and the plan's own does not.
    obstacle : str
        Why the plan's own draws cannot answer it, whatever their weights; empty where they may.
    same : bool
        They answer it as they are: it differs in what is done with them.
    """

    name: str
    reason: str
    set: dict[str, Any]
    plan: Plan
    identity: str
    warnings: tuple[str, ...] = ()
    obstacle: str = ""
    same: bool = False

    @property
    def route(self) -> tuple[str | None, str]:
        """How it will be answered, one of ``ROUTES`` and in words; None where the weights decide."""
        if self.same:
            return REEVALUATED, "the plan's own draws, evaluated again"
        return (
            (REFITTED, f"a fit, {self.obstacle}")
            if self.obstacle
            else (None, "weights, a fit where they fail")
        )


@dataclass(frozen=True)
class Bindings:
    """A plan and its scenarios, bound to their data.

    Parameters
    ----------
    base : Bound
    identity : str
        Of the plan's own run.
    scenarios : tuple of Scenario
        Those asked for: the plan's own in its order, then those built in.
    order : tuple of (str, dict)
        Name and set of every scenario the plan may have, whether asked for or not.
    refused : tuple of Problem
        Why scenarios that are built in cannot be fitted to these data; they are left out.
    """

    base: Bound
    identity: str
    scenarios: tuple[Scenario, ...]
    order: tuple[tuple[str, dict[str, Any]], ...]
    refused: tuple[Problem, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """What will be answered, and how, a line each."""
        lines = [f"{one.name}: {one.route[1]}; {one.reason}" for one in self.scenarios]
        return [*lines, *(f"left out: {problem.line()}" for problem in self.refused)]

    def records(self) -> list[dict[str, Any]]:
        """The same as plain values; ``route`` is null where the weights decide."""
        return [
            {
                "name": one.name,
                "reason": one.reason,
                "set": one.set,
                "identity": one.identity,
                "route": one.route[0],
                "why": one.obstacle,
            }
            for one in self.scenarios
        ]


def bind_scenarios(
    plan: Plan, names: Iterable[str] | None = None, draft: bool = False, where: str = OPTION
) -> Bindings:
    """Bind a plan and its scenarios; nothing is fitted.

    Parameters
    ----------
    plan : Plan
        With the settings that its own run has.
    names : iterable of str or None
        The scenarios wanted, by their own name, by that of the entry whose grid they are of, or by that of a family
        built in; None for those of ``[vary]``, and without it for all that the plan writes.
    draft : bool
        Few draws, as the plan's own.
    where : str
        What messages call the place of the names.

    Raises
    ------
    InputError
        Every fault of the plan; else every fault of every scenario that it writes, each line with the scenario's name.
    """
    base = bind_plan(plan)
    there = known(plan, base)
    wanted, problems = asked(plan, there, names, where)
    found: list[Scenario] = []
    refused: list[Problem] = []
    for one in wanted:
        try:
            found.append(_bind(plan, base, one.spec, draft))
        except InputError as error:
            (problems if one.own else refused).extend(_of(one, problem) for problem in error.problems)
    if problems:
        raise InputError(problems)
    order = tuple((one.spec.name, one.spec.set) for one in there)
    return Bindings(base, run_identity(base, plan), tuple(found), order, tuple(refused))


def _bind(plan: Plan, base: Bound, spec: ScenarioSpec, draft: bool) -> Scenario:
    problems = [
        Problem("a scenario may not change this", f"set {key}", allowed="any key but " + ", ".join(NOT_PATCHED))
        for key in spec.set
        if key.split(".")[0] in NOT_PATCHED
    ]  # fmt: skip
    if plan.file is None:
        problems.append(Problem("patches need the plan's file", do="read the plan from its path"))
    if problems or plan.file is None:
        raise InputError(problems)
    patched = settled(read_plan(plan.file, merge_patches(plan.patches, spec.set), "set"), draft=draft)
    # A plan without a name is called after its file; a renamed copy keeps the name it was given.
    patched = patched.model_copy(update={"name": plan.name, "varies": spec})
    bound = bind_plan(patched, base)
    fresh = tuple(w for w in bound.intake.warnings if w not in base.intake.warnings)
    if _substance(bound, patched) == _substance(base, plan):
        raise InputError(
            Problem(
                "changes nothing: the same model of the same numbers",
                found="; ".join(fresh) or ", ".join(f"{key} = {value!r}" for key, value in spec.set.items()),
                do="correct its set, or remove the scenario",
            )
        )
    same = same_posterior(base, bound)
    why = "" if same else obstacle(base, bound)
    # Where weights may do, other settings would keep them from it.
    if why:
        patched = _with_enough(patched, base, spec.set)
    return Scenario(spec.name, spec.reason, spec.set, patched, run_identity(bound, patched), fresh, why, same)


def _with_enough(plan: Plan, base: Bound, named: Collection[str]) -> Plan:
    """As many draws as a complete run asks for, where they are independent: more would say no more of a difference.

    They are from as many points as those of the plan's own run, however many cells are left. What is named stays.
    """
    settings = plan.estimate
    if settings.engine != laplace.NAME:
        return plan
    enough = {
        "draws": min(settings.draws, -(-WHOLE // settings.chains)),
        "points": base.plan.estimate.points or laplace.points_for(base.blueprint),
    }
    mine = {key: value for key, value in enough.items() if f"estimate.{key}" not in named}
    return plan.model_copy(update={"estimate": settings.model_copy(update=mine)})


def _of(one: Asked, problem: Problem) -> Problem:
    return replace(
        problem, where=", ".join(part for part in (f"scenario {one.spec.name!r}", problem.where) if part)
    )


def _substance(bound: Bound, plan: Plan) -> str:
    """Digest of what reaches the fit: the description without how it was asked for, and the statements."""
    said = {key: value for key, value in bound.description.items() if key not in ("patches", "plan")}
    keys: Sequence[str] = [key for key in bound.description["plan"] if key not in _THROUGH_DATA]
    return digest(
        {
            "description": said,
            "plan": {key: bound.description["plan"][key] for key in keys},
            "statements": bound.panel.digest(),
            "estimate": plan.estimate.model_dump(mode="json"),
        }
    )
