"""A plan bound to its data: what every verb starts from, and the identity of the run it would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any, Final

import numpy as np
from pydantic import BaseModel

from ..data import collector
from ..data.coherence import Contradictory
from ..data.digest import digest
from ..data.errors import InputError, Problem
from ..data.intake import Intake, read_panel
from ..data.names import ROOT
from ..data.panel import Panel
from ..models.blueprint import Blueprint, contradictions, make_blueprint
from ..models.explain import describe, extreme, implied_prior
from ..models.spec import read_effects, read_kinds
from ..models.terms import Effect, Settings
from ..models.unsplit import arrange
from .plan import Plan, to_come
from .store.identity import identity, source_digest

LATEST: Final = "latest"
Effects = tuple[tuple[Effect, Settings], ...]


@dataclass(frozen=True)
class Bound:
    """A plan bound to its data: what every verb starts from.

    ``read`` is the panel and the account of it as they were read, before the model arranged and judged them.
    """

    plan: Plan
    panel: Panel
    intake: Intake
    blueprint: Blueprint
    description: dict[str, Any]
    read: tuple[Panel, Intake]

    @property
    def answer(self) -> tuple[str, str]:
        """Jurisdiction and period at which the front table is read."""
        found = self.description["answer"]
        return found["jurisdiction"], found["period"]


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one use, derived from the seed and a name: adding a use never moves another."""
    return np.random.default_rng([seed, *digest(name).encode()[:8]])


@collector.paused()
def bind_plan(plan: Plan, like: Bound | None = None) -> Bound:
    """Read the data of a plan and bind it.

    Parameters
    ----------
    plan : Plan
    like : Bound, optional
        Where the plan reads what this one has read, in the same way, nothing is read again; where it has the same
        effects and kinds too, nothing is analysed again.

    Raises
    ------
    InputError
        Every fault of the plan's model sections, the data, or their combination.
    """
    model = _model(plan, to_come(plan))
    if like is not None and (plan.folder, plan.panel_spec()) == (like.plan.folder, like.plan.panel_spec()):
        return _bind_like(plan, like, *model)
    try:
        panel, intake = read_panel(plan.panel_spec(), plan.folder)
    except Contradictory as found:
        # What the analyser finds among the other statements is told with it, not after it has been mended.
        rest = arrange(found.rest, plan.axes.remainder)
        raise InputError([*found.problems, *contradictions(rest, model[1])]) from None
    return _bind(plan, panel, intake, *model)


def bind_panel(plan: Plan, panel: Panel, intake: Intake) -> Bound:
    """Bind a plan to a panel that has been read.

    Raises
    ------
    InputError
        Every fault of the plan's model sections, or of their combination with the panel.
    """
    return _bind(plan, panel, intake, *_model(plan))


def _model(plan: Plan, faults: Sequence[Problem] = ()) -> tuple[Effects, dict[str, BaseModel]]:
    """Effects and kinds with their settings; their faults are told with those already found."""
    effects, problems = read_effects(list(plan.effect) if plan.effect is not None else None)
    kinds, more = read_kinds(plan.kind)
    if faults or problems or more:
        raise InputError([*faults, *problems, *more])
    return effects, kinds


def _bind(plan: Plan, panel: Panel, intake: Intake, effects: Effects, kinds: dict[str, BaseModel]) -> Bound:
    read, panel = (panel, intake), arrange(panel, plan.axes.remainder)
    blueprint = make_blueprint(plan.name, panel, effects, plan.prior, kinds)
    return _described(plan, blueprint, _account(intake, blueprint), read)


def _bind_like(plan: Plan, like: Bound, effects: Effects, kinds: dict[str, BaseModel]) -> Bound:
    """Of the same statements: they have their places, and of the same effects and kinds all but the priors is known."""
    one, problems = like.blueprint, plan.prior.problems(like.panel.funnel)
    if (effects, kinds) == (one.effects, one.kind_settings) and not problems:
        return _described(plan, replace(one, name=plan.name, prior=plan.prior), like.intake, like.read)
    blueprint = make_blueprint(plan.name, like.panel, effects, plan.prior, kinds)
    return _described(plan, blueprint, _account(like.read[1], blueprint), like.read)


def _described(plan: Plan, blueprint: Blueprint, intake: Intake, read: tuple[Panel, Intake]) -> Bound:
    implied = implied_prior(blueprint, stream(0, "implied prior"))
    beyond = extreme(blueprint, implied)
    if beyond and not plan.prior.allow_extreme:
        raise InputError(
            Problem(
                "the prior implies rates that nobody means",
                "plan, [prior] and [[effect]]",
                "; ".join(beyond),
                "a central 95 % interval of a cell's rate inside 0.0001 to 0.999",
                "narrow prior.intercept or prior.spread, or give the reason in prior.allow_extreme",
            )
        )
    description = describe(blueprint, implied)
    description["answer"] = _answer(plan, blueprint.panel)
    description["patches"] = plan.patches
    description["plan"] = plan.model_dump(mode="json", exclude={"estimate"})
    return Bound(plan, blueprint.panel, intake, blueprint, description, read)


def _answer(plan: Plan, panel: Panel) -> dict[str, str]:
    """The node of each axis at which the front table is read; ``latest`` is the last period any statement speaks of."""
    names = {"jurisdiction": plan.answer.jurisdiction, "period": plan.answer.period}
    if names["period"] == LATEST and LATEST not in panel.axes.period.by_name:
        axis = panel.axes.period
        ends = [axis.positions[s.period].max() for s in panel.statements if s.period != ROOT]
        names["period"] = axis.leaves[max(ends)] if ends else ROOT
    allowed = {
        "jurisdiction": "a node of the axis, or all",
        "period": f"a node of the axis, all, or {LATEST}",
    }
    problems = [
        Problem("no such node", f"plan, [answer] {axis}", repr(name), allowed[axis])
        for axis, name in names.items()
        if name not in panel.axes[axis].by_name
    ]
    if problems:
        raise InputError(problems)
    return names


def _account(intake: Intake, blueprint: Blueprint) -> Intake:
    """The intake with what kinds and analyser decided about each statement."""
    status = {"used": "used", "residual": "used", "known": "used", "unused": "unused", "dropped": "dropped"}
    decided: dict[str, tuple[Any, str, tuple[str, ...], tuple[str, ...]]] = {
        d.statement: (
            status[d.action],
            d.reason,
            d.others,
            blueprint.statement_kinds.get(d.statement, ()),
        )
        for d in blueprint.analysis.decisions
    }
    decided |= {name: ("unused", reason, (), ()) for name, reason in blueprint.unclaimed.items()}
    nowhere = blueprint.panel.arrangement.unplaced if blueprint.panel.arrangement is not None else {}
    for statement in blueprint.panel.mix:
        reason = nowhere.get(statement.id, "")
        decided[statement.id] = (
            ("unused", reason, (), ()) if reason else ("used", "", (), ("missing_denominator",))
        )
    return intake.with_decisions(decided)


def run_identity(bound: Bound, plan: Plan) -> str:
    """The identity of the run that a bound plan would give."""
    return identity(
        bound.description,
        bound.panel.digest(),
        plan.estimate.engine,
        # What a plan leaves to its size is no part of it.
        plan.estimate.model_dump(exclude={"engine", "seed"}, exclude_none=True),
        plan.estimate.seed,
        metadata.version("attrition"),
        source_digest(),
    )
