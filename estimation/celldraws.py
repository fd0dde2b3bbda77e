"""Rates and complete counts of every cell under each draw, worked out a few draws at a time."""

from __future__ import annotations

import numpy as np

from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from .binding import stream
from .completion import complete
from .contraction import cell_rates
from .rows import CellDraws, Floats
from .silent import Shift, shift_silent
from .thinning import parts, take


def draw_cells(seed: int, blueprint: Blueprint, draws: FieldDraws, shift: Shift) -> CellDraws:
    """Rates and counts of the active cells.

    Parameters
    ----------
    seed : int
        Of the run.
    blueprint : Blueprint
    draws : FieldDraws
        R of them.
    shift : Shift
        Of silent places.

    Returns
    -------
    CellDraws
        Rates in single precision, and counts drawn at them; counts that are all known are kept once. In memory the
        draws come last.
    """
    layout, size = blueprint.layout, len(draws.intercept)
    rates = np.empty((layout.steps, layout.size, size), dtype=np.float32)
    counts: Floats | None = None
    of_rates, of_counts = stream(seed, "cell rates"), stream(seed, "complete counts")
    for part in parts(size, layout.steps * layout.size):
        few = take(draws, part)
        eta = shift_silent(blueprint, few, blueprint.predictor(few), shift)
        own = cell_rates(of_rates, blueprint, eta, few, observed=True)
        rates[..., part] = np.moveaxis(own, 0, -1)
        some = complete(of_counts, blueprint, eta, few, own)
        if counts is None:
            repeated = some.strides[0] == 0
            empty = np.moveaxis(np.empty((*some.shape[1:], size)), -1, 0)
            counts = np.broadcast_to(some[0], empty.shape) if repeated else empty
        if not repeated:
            counts[part] = some
    assert counts is not None
    return CellDraws(np.moveaxis(rates, -1, 0), counts)
