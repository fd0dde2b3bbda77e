"""A scenario: a named patch on a fingerprinted plan, checked against the data before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ...data.digest import digest
from ...data.errors import InputError, Problem, did_you_mean
from ..binding import Bound, bind_plan, run_identity
from ..patches import merge_patches
from ..plan import Plan, ScenarioSpec, read_plan, settled

NOT_PATCHED: Final = ("format", "name", "scenario")
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
    """

    name: str
    reason: str
    set: dict[str, Any]
    plan: Plan
    identity: str
    warnings: tuple[str, ...] = ()


def bind_scenarios(
    plan: Plan, names: Iterable[str] | None = None, draft: bool = False
) -> tuple[str, tuple[Scenario, ...]]:
    """Bind a plan and its scenarios; nothing is fitted.

    Parameters
    ----------
    plan : Plan
        With the settings that its own run has.
    names : iterable of str or None
        The scenarios wanted; None for all of them.
    draft : bool
        Few draws, as the plan's own.

    Returns
    -------
    identity : str
        Of the plan's own run.
    scenarios : tuple of Scenario
        In the order of the plan.

    Raises
    ------
    InputError
        Every fault of the plan; else every fault of every scenario, each line with the scenario's name.
    """
    base = bind_plan(plan)
    problems = _names(plan, names)
    wanted = None if names is None else set(names)
    found: list[Scenario] = []
    for spec in plan.scenario:
        if wanted is not None and spec.name not in wanted:
            continue
        try:
            found.append(_bind(plan, base, spec, draft))
        except InputError as error:
            problems += [_of(spec.name, problem) for problem in error.problems]
    if problems:
        raise InputError(problems)
    return run_identity(base, plan), tuple(found)


def _names(plan: Plan, names: Iterable[str] | None) -> list[Problem]:
    """Faults of the names: none to vary, two alike, one asked for that is not there."""
    where = str(plan.file or "plan")
    if not plan.scenario:
        return [
            Problem("the plan has no [[scenario]]", where, do="add one: name, reason, set = {key = value}")
        ]
    known = [spec.name for spec in plan.scenario]
    twice = [name for name in dict.fromkeys(known) if known.count(name) > 1]
    strange = [name for name in dict.fromkeys(names or ()) if name not in known]
    return [
        *(Problem(f"{known.count(name)} scenarios have this name", f"scenario {name!r}", do="rename all but one")
          for name in twice),
        *(Problem("no such scenario", "--scenario", repr(name), do=did_you_mean(name, known)) for name in strange),
    ]  # fmt: skip


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
    patched = patched.model_copy(update={"name": plan.name})
    bound = bind_plan(patched)
    fresh = tuple(w for w in bound.intake.warnings if w not in base.intake.warnings)
    if _substance(bound, patched) == _substance(base, plan):
        raise InputError(
            Problem(
                "changes nothing: the same model of the same numbers",
                found="; ".join(fresh) or ", ".join(f"{key} = {value!r}" for key, value in spec.set.items()),
                do="correct its set, or remove the scenario",
            )
        )
    return Scenario(spec.name, spec.reason, spec.set, patched, run_identity(bound, patched), fresh)


def _of(name: str, problem: Problem) -> Problem:
    return replace(problem, where=", ".join(part for part in (f"scenario {name!r}", problem.where) if part))


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
