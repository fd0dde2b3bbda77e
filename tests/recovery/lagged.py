"""The log density of dated counts as a plain function of rates and hazards, with its gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode, get_mode

from attrition.models.blueprint import Blueprint
from attrition.models.revised import NAME
from attrition.models.values import Values, batch_logp


def log_density(blueprint: Blueprint) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Of one step whose hazards do not differ between cells.

    The function takes the logits of the cells' rates and behind them the coordinates of the hazards, those of passing
    before those of being closed, and last that of the chance that a record is looked at anew.
    """
    cells = blueprint.layout.size
    x = pt.dvector("x")
    unknown = {one.name: pt.zeros(one.shape) for one in blueprint.unknowns}
    start = cells
    for one in blueprint.unknowns:
        if one.name.endswith("_hazard"):
            unknown[one.name] = x[start : start + one.shape[1]][None]
            start += one.shape[1]
        elif one.name == NAME:
            unknown[one.name] = x[start : start + 1]
            start += 1
    values = Values(x[:cells], None, None, unknown)
    total = pt.sum(pt.concatenate([batch_logp(blueprint, batch, values) for batch in blueprint.batches]))
    mode = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    both = pytensor.function([x], [total, pt.grad(total, x)], mode=mode)

    def evaluate(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = both(point)
        return float(value), np.asarray(slope)

    return evaluate
