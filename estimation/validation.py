"""What can be said of a plan, its data and its scenarios before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.errors import InputError, Problem, did_you_mean
from .binding import bind_plan
from .checks.catalogue import verdict_names
from .contraction import touched
from .plan import Plan
from .rows import make_rows
from .sensitivity.asked import RELEASED, asked, known
from .sensitivity.scenario import bind_scenarios
from .store.layout import run_folder

_SHOWN = 400


@dataclass(frozen=True)
class Validation:
    """What validation found.

    Parameters
    ----------
    problems : list of Problem
        Empty when the plan can be fitted.
    intake, blueprint : dict
        As they would be stored; empty where a fault kept them from being made.
    sentences : list of str
        What was read and how.
    without_statement : list of str
        Published rows that no statement after the first stage touches.
    """

    problems: list[Problem]
    intake: dict[str, Any]
    sentences: list[str]
    blueprint: dict[str, Any]
    without_statement: list[str]


def refused(error: InputError) -> Validation:
    """What there is to say where something is wrong."""
    return Validation(list(error.problems), {}, [], {}, [])


def validated(plan: Plan) -> Validation:
    """What was read and how.

    Raises
    ------
    InputError
        Every fault of the plan, its data and the scenarios that it writes or names.
    """
    problems = [*_name_faults(plan), *_accept_faults(plan)]
    try:
        bound = bind_scenarios(plan).base if plan.scenario or plan.vary.scenarios else bind_plan(plan)
        if plan.release.scenarios:
            problems += asked(plan, known(plan, bound), plan.release.scenarios, RELEASED)[1]
    except InputError as error:
        raise InputError([*problems, *error.problems]) from None
    if problems:
        raise InputError(problems)
    blueprint, layout = bound.blueprint, bound.blueprint.layout
    counts = bound.intake.counts
    silent = np.flatnonzero(~touched(blueprint).any(axis=0))
    rows = make_rows(bound.panel, layout)
    heard = touched(blueprint).any(axis=0).astype(float)
    empty = rows.take(np.flatnonzero((rows.member @ heard == 0) & ~rows.leaf))
    o, j, t = layout.shape
    sentences = [
        f"Read {counts['read']:,} numbers: {counts['used']:,} used, {counts['unused']:,} unused, "
        f"{counts['excluded']:,} excluded, {counts['dropped']:,} dropped; {bound.intake.not_reported:,} not reported.",
        f"{o} offenses × {j} jurisdictions × {t} periods; {layout.size:,} of {o * j * t:,} cells in the model, "
        f"{len(silent):,} of them without any count after the first stage.",
        f"{len(blueprint.analysis.groups):,} groups of statements, each with one density.",
        *bound.intake.warnings,
        *bound.intake.suspects,
    ]
    without = [", ".join(map(str, names)) for names in empty.names[:_SHOWN]]
    return Validation([], bound.intake.to_dict(), sentences, bound.description, without)


def _name_faults(plan: Plan) -> list[Problem]:
    """The name must be able to name a folder, which is made after the fit only."""
    try:
        run_folder(Path(), plan.name, "run")
    except InputError as error:
        return list(error.problems)
    return []


def _accept_faults(plan: Plan) -> list[Problem]:
    """A reason for a check that there is not would change nothing, without a word."""
    names = verdict_names()
    return [
        Problem("no such check", "plan, [release] accept", repr(name), do=did_you_mean(name, names))
        for name in plan.release.accept
        if name not in names
    ]
