"""How much of the denominator reports at all: what a change over all jurisdictions asks for, and any number of one."""

from __future__ import annotations

import numpy as np

from ..models.blueprint import Blueprint
from .contraction import touched

# Of the first stage's count, in each of the last two periods, before a change of the whole is published.
LEAST = 0.6
# Of the first stage's count in a row's own cells, before a change of one jurisdiction, or of a region, is published and
# its rate is called data-driven. Both figures are those below which the FBI withheld estimates in 2022.
LEAST_OF_ONE = 0.8


def reporting_share(blueprint: Blueprint) -> float:
    """Share of the first stage's count that stands in cells of which some later stage is known.

    In the last two periods; the lower of the two.
    """
    layout = blueprint.layout
    first = np.nan_to_num(blueprint.analysis.counts[0, layout.cells])
    heard = touched(blueprint).any(axis=0)
    periods = layout.coordinates[2]
    shares = []
    for period in np.unique(periods[periods >= periods.max() - 1]):
        here = periods == period
        shares.append((first * heard)[here].sum() / max(first[here].sum(), 1))
    return float(min(shares))
