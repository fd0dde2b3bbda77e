"""The model in words and equations, rendered when a run is made so that reports need no model code."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..data.axes import Node
from ..data.names import AXES
from ..data.panel import Panel
from . import catalogue
from .blueprint import Blueprint
from .contract import Group
from .rates import rates_of

_DRAWS, _WHOLE = 4000, 400  # of a single cell, and of all cells
_AT_ONCE = 16_000_000  # numbers of all cells at a time: of a million cells all draws would take ten gigabytes
_LOWEST, _HIGHEST = 1e-4, 0.999


def equation(blueprint: Blueprint) -> str:
    """The linear predictor in symbols."""
    links = {"probability": "logit", "ratio": "log"}
    heads = sorted({links[step.kind] for step in blueprint.panel.funnel.steps})
    names = _in_rate(blueprint)
    terms = [effect.equation() for effect, _ in blueprint.effects if effect.name in names]
    return f"{' / '.join(heads)} p[s,o,j,t] = {' + '.join(terms)}"


def _in_rate(blueprint: Blueprint) -> set[str]:
    """Names of the effects that have a term in the linear predictor."""
    return {block.name.split("_2")[0].split("_3")[0] for block in blueprint.blocks} | {"intercept"}


def _used(blueprint: Blueprint, name: str) -> bool:
    """Did an effect put anything into the model? On an axis of one level, say, it does not."""
    return name in _in_rate(blueprint) or (name == "cell" and blueprint.concentration is not None)


def implied_prior(blueprint: Blueprint, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Quantiles (2.5, 50, 97.5 %) of the prior of a single cell's rate, by step, end to end, and of the root rates.

    Returns
    -------
    dict
        Keys: step names, ``end_to_end`` where there are several steps, ``root:<step>``.
    """
    draws = blueprint.prior_scales(rng, _DRAWS)
    layout, funnel = blueprint.layout, blueprint.panel.funnel
    # A cell of the population, not of these members: intercept plus one draw of every block.
    noise = sum(
        (draws.sd[block.name] ** 2 * block.square for block in blueprint.blocks),
        np.zeros_like(draws.intercept),
    )
    cell = draws.intercept + np.sqrt(noise) * rng.standard_normal(noise.shape)
    rates = rates_of(cell[..., None], blueprint.ratio_steps)[..., 0]
    out = {step.name: _three(rates[:, step.source]) for step in funnel.steps}
    if len(funnel.steps) > 1:
        out["end_to_end"] = _three(rates.prod(axis=1))
    pick = np.linspace(0, layout.size - 1, min(layout.size, 400)).astype(int)
    few = max(min(_AT_ONCE // (layout.steps * layout.size), _WHOLE), 1)
    found = []
    for start in range(0, _WHOLE, few):
        eta = blueprint.prior_at(rng, min(few, _WHOLE - start), pick)
        # Cells in the outermost place are added one after another, whichever way they were gathered.
        found.append(rates_of(np.asfortranarray(eta), blueprint.ratio_steps).mean(axis=2))
    over = np.concatenate(found)
    return out | {f"root:{step.name}": _three(over[:, step.source]) for step in funnel.steps}


def _three(values: np.ndarray) -> dict[str, float]:
    return dict(
        zip(("q025", "q50", "q975"), map(float, np.quantile(values, [0.025, 0.5, 0.975])), strict=True)
    )


def extreme(blueprint: Blueprint, implied: dict[str, dict[str, float]]) -> list[str]:
    """Steps whose implied prior of a cell's rate reaches outside [1e-4, 0.999] in its central 95 %."""
    out = []
    for step in blueprint.panel.funnel.steps:
        low, high = implied[step.name]["q025"], implied[step.name]["q975"]
        if low < _LOWEST or (step.kind == "probability" and high > _HIGHEST):
            out.append(f"{step.name}: {low:.2g} to {high:.4g}")
    return out


def _finer(panel: Panel) -> tuple[Node, ...]:
    """Offenses of the tree that no cell speaks of."""
    return panel.arrangement.finer if panel.arrangement is not None else ()


def _tree(panel: Panel, axis: str) -> list[Node]:
    """Nodes of an axis, finer offenses among them, each parent followed by what it holds."""
    finer = _finer(panel)
    if axis != "offense" or not finer:
        return list(panel.axes[axis].nodes)
    below: dict[str | None, list[Node]] = {}
    for node in (*panel.axes.offense.nodes, *finer):
        below.setdefault(node.parent, []).append(node)
    out: list[Node] = []
    waiting = list(reversed(below[None]))
    while waiting:
        node = waiting.pop()
        out.append(node)
        waiting += reversed(below.get(node.name, []))
    return out


def _node(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"name": node.name, "label": node.label, "parent": node.parent}
    return found if node.members == 1 else found | {"members": node.members}


def _mix(blueprint: Blueprint) -> dict[str, Any] | None:
    """The stated mix by period, and what is assumed of it."""
    panel = blueprint.panel
    if panel.arrangement is None or not panel.mix:
        return None
    used = [s for s in panel.mix if s.id not in panel.arrangement.unplaced]
    leaves = [name for name in panel.axes.offense.leaves if not panel.axes.offense.by_name[name].made]
    at = {name: i for i, name in enumerate(panel.axes.offense.leaves)}
    periods = panel.axes.period.leaves
    return {
        "stage": panel.mix[0].stage,
        "jurisdiction": panel.mix[0].jurisdiction,
        **blueprint.kind_settings["missing_denominator"].model_dump(mode="json"),
        "shares": {
            period: {name: float(np.exp(panel.arrangement.shares[t, at[name]])) for name in leaves}
            for t, period in enumerate(periods)
        },
        "taken_from": dict(zip(periods, panel.arrangement.mixed_from, strict=True)),
        "sources": sorted({s.source_id for s in used}),
    }


def form(group: Group) -> str:
    """What a group of statements that share unobserved counts is, in words."""
    if group.lags is not None:
        return "of developing cohorts"
    if group.members is not None:
        return "of totals that cross"
    if len(group.stages) > 1:
        return "of several stages"
    what = "counts" if (group.low == group.high).all() else "ranges"
    if group.part >= 0:
        return f"{what} of parts of unsplit totals"
    return f"{what} of single cells" if len(group.cells) == 1 else f"{what} of sums"


def describe(blueprint: Blueprint, implied: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The blueprint as plain values, for ``blueprint.json``; every default explicit."""
    panel, funnel = blueprint.panel, blueprint.panel.funnel
    used = Counter(name for names in blueprint.statement_kinds.values() for name in names)
    return {
        "format": 1,
        "name": blueprint.name,
        "funnel": {
            "stages": list(funnel.stages),
            "units": {stage: funnel.unit(stage) for stage in funnel.stages},
            "assume_one_to_one": dict(funnel.assume_one_to_one),
            "max_per_unit": dict(funnel.max_per_unit),
        },
        "steps": [{"name": s.name, "kind": s.kind, "assumed": s.assumed} for s in funnel.steps],
        "axes": {axis: [_node(node) for node in _tree(panel, axis)] for axis in AXES},
        "effects": [
            {
                "kind": effect.name,
                "settings": settings.model_dump(mode="json"),
                "sentence": effect.sentence(),
                "equation": effect.equation(),
                "because": blueprint.because.get(effect.name, ""),
                "used": _used(blueprint, effect.name),
            }
            for effect, settings in blueprint.effects
        ],
        "equation": equation(blueprint),
        "mix": _mix(blueprint),
        "finer": [node.name for node in _finer(panel)],
        "groups": dict(Counter(form(group) for group in blueprint.analysis.groups).most_common()),
        "kinds": [
            {
                "kind": kind.name,
                "sentence": kind.sentence(),
                "statements": used[kind.name],
                "soft": kind.soft,
                "settings": blueprint.kind_settings[kind.name].model_dump(mode="json"),
            }
            for kind in catalogue.kinds()
            if used[kind.name]
        ],
        "prior": {
            "spread": blueprint.prior.spread,
            "intercept": {
                step.name: blueprint.prior.intercept_of(step.name).model_dump(mode="json")
                for step in funnel.steps
            },
            "phi": blueprint.prior.phi.model_dump(mode="json"),
            "allow_extreme": blueprint.prior.allow_extreme,
            "implied": implied,
        },
    }
