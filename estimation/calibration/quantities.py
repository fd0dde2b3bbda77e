"""What the ranks are taken of: functions of the parameters and the data, in draws and in the truth alike.

A posterior that ignores some of the data, or all of it, has uniform ranks in every parameter: it is the prior. The
log-likelihoods, of all reports and of those of each kind, show it (Modrák et al. 2023).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from ...data.names import ROOT
from ...models.blueprint import Blueprint
from ...models.field import FieldDraws
from ...models.priors import Fixed
from ..binding import stream
from ..predictive import log_likelihood
from ..rows import CellDraws, Rows, evaluate, make_rows, published_steps

Floats = NDArray[np.float64]

CELLS = 3  # single cells, and coordinates of what the kinds do not know
LIKELIHOOD = "log-likelihood"


def quantities(
    blueprint: Blueprint, draws: FieldDraws, eta: Floats, rates: Floats, counts: Floats
) -> dict[str, Floats]:
    """Draws of every test quantity by its name, each (R,).

    Parameters
    ----------
    blueprint : Blueprint
        Bound to the data that the draws were fitted to.
    draws : FieldDraws
    eta, rates : (R, S, A)
        Linear predictors and rates of the cells, of the same draws.
    counts : (R, S + 1, A)
        Complete counts.
    """
    return {
        **_hyperparameters(blueprint, draws),
        **_cells(blueprint, rates),
        **_rows(blueprint, rates, counts),
        **_likelihoods(blueprint, draws, eta),
    }


def _hyperparameters(blueprint: Blueprint, draws: FieldDraws) -> dict[str, Floats]:
    steps, ratio = blueprint.panel.funnel.steps, np.array(blueprint.ratio_steps)
    given = {block.name for block in blueprint.blocks if isinstance(block.sd, Fixed)}
    by_step = {"intercept": draws.intercept}
    by_step |= {f"sd_{name}": sd for name, sd in draws.sd.items() if name not in given}
    if blueprint.shared and draws.total_spread is not None:
        by_step["total_spread"] = draws.total_spread
    out = {f"{name} {step.name}": by_step[name][:, step.source] for name in by_step for step in steps}
    out |= {f"phi {step.name}": draws.phi[:, step.source] for step in steps if ratio[step.source]}
    if draws.concentration is not None:
        out["concentration"] = draws.concentration
    for name, values in draws.unknown.items():
        flat = values.reshape(len(values), -1)
        some = np.unique(np.linspace(0, flat.shape[1] - 1, CELLS).astype(int))
        out |= {f"{name} {place}": flat[:, place] for place in some}
    return out


def _cells(blueprint: Blueprint, rates: Floats) -> dict[str, Floats]:
    """A few step-cells, the same in every world of a plan."""
    layout, steps = blueprint.layout, blueprint.panel.funnel.steps
    size = layout.steps * layout.size
    chosen = stream(0, "calibration cells").choice(size, min(CELLS, size), replace=False)
    out = {}
    for step, place in (divmod(int(slot), layout.size) for slot in np.sort(chosen)):
        names = blueprint.panel.axes.cell_names(int(layout.cells[place]))
        out[f"rate {steps[step].name} of {', '.join(names)}"] = rates[:, step, place]
    return out


def _rows(blueprint: Blueprint, rates: Floats, counts: Floats) -> dict[str, Floats]:
    """Rates of the root by step and end to end; the last also of the newest cohort, and its change since the first."""
    rows, cells = make_rows(blueprint.panel, blueprint.layout), CellDraws(rates, counts)
    periods = blueprint.panel.axes.period.leaves
    ends = [_row(rows, period) for period in (periods[0], periods[-1])] if len(periods) > 1 else []
    root, out = _row(rows, ROOT), {}
    steps = published_steps(blueprint.panel.funnel)
    for number, (_, step) in enumerate(steps):
        at = cells.step(step)
        if root is not None:
            out[f"rate {step.name} of all"] = evaluate(root.member, at).superpopulation[0]
        if number == len(steps) - 1 and len(ends) == 2:
            first, last = (evaluate(one.member, at).superpopulation[0] for one in ends if one is not None)
            out[f"rate {step.name} of the newest cohort"] = last
            out[f"change {step.name} of all"] = last - first
    return out


def _row(rows: Rows, period: str) -> Rows | None:
    found = rows.find(ROOT, ROOT, period)
    return None if found is None else rows.take(np.array([found]))


def _likelihoods(blueprint: Blueprint, draws: FieldDraws, eta: Floats) -> dict[str, Floats]:
    """Joint log-likelihood, and that of the groups that each kind shapes."""
    logs = log_likelihood(blueprint, eta, draws)
    kinds = [
        {batch.report, *own} for batch in blueprint.batches for own in batch.kinds
    ]  # of each group, in the order of the columns
    members: dict[str, list[int]] = defaultdict(list)
    for column, names in enumerate(kinds):
        for name in names:
            members[name].append(column)
    return {LIKELIHOOD: logs.sum(axis=1)} | {
        f"{LIKELIHOOD}, {name}": logs[:, columns].sum(axis=1) for name, columns in sorted(members.items())
    }
