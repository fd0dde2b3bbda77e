"""A stored run bound again: its own plan, to its own or to other statements; no file is read but the run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ...data.axes import Axes, Axis, Node
from ...data.intake import Intake
from ...data.names import AXES, MADE
from ...data.panel import Panel
from ...data.placing import Record
from ...data.statement import Statement
from ..binding import Bound, bind_panel
from ..plan import Plan, read_plan
from ..sections import EstimateSpec
from ..store.layout import PLAN
from ..store.runs import Run

_FIELDS = tuple(field.name for field in fields(Statement))


def stored_plan(run: Run) -> Plan:
    """The plan of a run as it was fitted: with its patches, its seed and its draws.

    Raises
    ------
    InputError
        When this version does not read it any more.
    """
    plan = read_plan(run.folder / PLAN, run.blueprint.get("patches") or None)
    known = {
        key: value for key, value in run.manifest["engine_args"].items() if key in EstimateSpec.model_fields
    }
    settings = plan.estimate.model_copy(update=known | {"seed": run.manifest["seed"]})
    return plan.model_copy(update={"name": run.name, "estimate": settings})


def rebound(run: Run, lines: Sequence[Mapping[str, Any]], other: Run) -> Bound:
    """The plan of a run bound to statements.

    Parameters
    ----------
    run : Run
        Whose plan.
    lines : sequence of mapping
        Lines of ``intake.json``.
    other : Run
        Gives the nodes that the run's own axes lack.

    Raises
    ------
    InputError
        When the plan cannot be fitted to these statements.
    """
    plan = stored_plan(run)
    axes = Axes(**{axis: _axis(axis, run.blueprint, other.blueprint) for axis in AXES})
    found = tuple(Statement(**{key: line[key] for key in _FIELDS if key in line}) for line in lines)
    stages = plan.funnel.stages
    panel = Panel(
        plan.funnel.to_funnel(),
        axes,
        tuple(s for s in found if s.stage in stages),
        tuple(s for s in found if s.stage not in stages),
    )
    intake = Intake((), tuple(Record(statement) for statement in found))
    return bind_panel(plan, panel, intake)


def _axis(axis: str, one: Mapping[str, Any], two: Mapping[str, Any]) -> Axis:
    """Nodes of the first tree and those that only the second has; in the order of the larger."""
    trees = [[n for n in b["axes"][axis] if not n["name"].endswith(MADE)] for b in (one, two)]
    mine, theirs = ({node["name"]: node for node in tree} for tree in trees)
    order = [*theirs, *(name for name in mine if name not in theirs)] if set(mine) <= set(theirs) else None
    names = order or [*mine, *(name for name in theirs if name not in mine)]
    nodes = [mine.get(name, theirs.get(name)) for name in names]
    return Axis(
        axis,
        tuple(Node(n["name"], n["label"], n["parent"], n.get("members", 1)) for n in nodes if n is not None),
    )
