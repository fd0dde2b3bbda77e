"""As assigned so far: the share of a cohort's units with an outcome by the latest date, beside what is expected of it.

Cases that are still pending are not missing at random, so that the share so far estimates no rate; it is what was
counted, and is published under its own name.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..data.funnel import Step
from ..models.blueprint import Blueprint
from ..models.layers import known_ends
from .blocks import Collector, block_of
from .evidence import Behind
from .labels import COUNTED
from .maturing import developing
from .rows import Floats, Rows

SO_FAR = "so_far"


def counts_so_far(blueprint: Blueprint) -> tuple[Floats, NDArray[np.bool_]]:
    """Latest exact counts of single cells, (stages, A), NaN where there is none, and which of them still develop."""
    layout = blueprint.layout
    least, most = (ends[:, layout.cells] for ends in known_ends(blueprint.analysis))
    counts = np.where(least == most, least, np.nan)
    young = np.zeros(counts.shape, dtype=bool)
    for group in blueprint.analysis.lagged:
        if not developing(group) or group.lags is None or len(np.unique(group.cells)) > 1:
            continue
        latest = slice(group.lags.closed, group.lags.closed + 1)
        if (group.lags.first[:, latest] > 0).any():
            continue  # outcomes of later periods alone: those that came before them are not known
        if len(group.low[latest]) and (group.low[latest] == group.high[latest]).all():
            column = layout.positions[group.cells[0]]
            counts[group.stages[0], column] = group.low[latest][0]
            young[group.stages[0], column] = True
    return counts, young


def so_far(collector: Collector, blueprint: Blueprint, rows: Rows, step: Step, behind: Behind) -> None:
    """Rows of what was counted by the latest date, where some cohort of the row is still developing.

    Parameters
    ----------
    collector : Collector
    blueprint : Blueprint
    rows : Rows
    step : Step
    behind : Behind
        Of the same rows.
    """
    counts, young = counts_so_far(blueprint)
    ends = counts[[step.source, step.target]]
    lacking = rows.member @ np.isnan(ends).any(axis=0).astype(float)
    open_ = rows.member @ young[[step.source, step.target]].any(axis=0).astype(float)
    below, above = (np.asarray(rows.member @ np.nan_to_num(end)) for end in ends)
    keep = np.flatnonzero((lacking == 0) & (open_ > 0) & (below > 0) & ~behind.period_clock)
    if not len(keep):
        return
    value = above[keep] / below[keep]
    known = np.full(len(keep), np.nan)
    labels = np.full(len(keep), COUNTED, dtype=object)
    same = value[:, None]
    block = block_of(
        SO_FAR, step, rows.names[keep], "finite", same, np.stack([value, value], axis=1), known, known, labels,
        behind.take(keep), below[keep],
    )  # fmt: skip
    collector.keep(block, same, ~rows.leaf[keep])
