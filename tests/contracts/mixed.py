"""Panels whose counts hold other cases, or whose denominators are not split: one jurisdiction an outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from attrition.data.names import Origin
from attrition.data.panel import Panel
from attrition.models.blueprint import Blueprint
from attrition.models.unsplit import arrange

from ..panels import Fact, bind, group_logp, make_panel, statement

OFFENSES = {"ab": "all", "a": "ab", "b": "ab", "c": "all"}
LEAVES = ("a", "b", "c")
MIX = {"a": 500.0, "b": 300.0, "c": 200.0}
# Logits or logs of two steps for each offense.
ETA = {"a": (-0.4, 0.6), "b": (0.9, -0.8), "c": (0.1, 0.3)}
Report = tuple[Fact, ...]  # facts whose node names an offense alone


def panel_of(
    first: Report,
    reports: Sequence[Report],
    origin: Origin = "referred_only",
    units: Mapping[str, str] | None = None,
) -> Panel:
    """One jurisdiction for each report, each with the same facts of the first stage."""
    facts: list[Fact] = []
    for number, report in enumerate(reports):
        facts += [(stage, f"{node}/P{number}", *rest) for stage, node, *rest in (*first, *report)]
    places = [f"P{number}" for number in range(len(reports))]
    panel = make_panel(facts, OFFENSES, places, units=units)
    told = [s if s.stage == "referral" else replace(s, origin=origin) for s in panel.statements]
    return replace(panel, statements=tuple(told))


def split(panel: Panel) -> Panel:
    """The panel with its totals read through ``MIX``."""
    mix = [
        replace(statement(1000 + i, ("report", name, "exact", count)), id=f"mix {name}")
        for i, (name, count) in enumerate(MIX.items())
    ]
    return arrange(replace(panel, mix=tuple(mix)), remainder=False)


def field(blueprint: Blueprint) -> np.ndarray:
    """Linear predictors (S, A), by offense alone; those of unsplit totals are not read."""
    leaves = blueprint.panel.axes.offense.leaves
    offense = blueprint.layout.coordinates[0]
    return np.array([ETA.get(leaves[o], (9.0, 9.0)) for o in offense]).T


def place_logp(
    panel: Panel, phi: float = 1.0, unknown: Mapping[str, float] | None = None
) -> tuple[Blueprint, dict[str, float]]:
    """The blueprint, and the log probability of each jurisdiction's reports."""
    blueprint = bind(panel, ["intercept"])
    out: dict[str, float] = defaultdict(float)
    for number, value in group_logp(blueprint, field(blueprint), phi, unknown).items():
        group = blueprint.analysis.groups[number]
        out[blueprint.panel.axes.cell_names(int(group.cells[0]))[1]] += value
    return blueprint, dict(out)
