"""The prior of the log standard deviations of one step, with its gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....models.blueprint import Blueprint
from ....models.priors import Fixed

Floats = NDArray[np.float64]


def log_prior(blueprint: Blueprint, theta: Floats) -> tuple[float, Floats]:
    """Log density of θ (B,), log standard deviations of the blocks, and its gradient; constants left out.

    Blocks without a prior of their own share a half-normal total T, T² split uniformly over them: with
    V = T² = Σ e^{2θ} the density of θ is proportional to exp(-V / 2s²) V^{1/2 - B} e^{2 Σ θ}.
    """
    value, slope = 0.0, np.zeros_like(theta)
    shared = np.array([block.sd is None for block in blueprint.blocks])
    if shared.any():
        square = np.exp(2 * theta[shared])
        total, power, scale = square.sum(), shared.sum() - 0.5, blueprint.prior.spread**-2
        value += float(2 * theta[shared].sum() - power * np.log(total) - 0.5 * total * scale)
        slope[shared] = 2 - 2 * square * (power / total + 0.5 * scale)
    for number, block in enumerate(blueprint.blocks):
        if block.sd is not None:
            assert not isinstance(block.sd, Fixed)
            one, by = block.sd.log_density(float(theta[number]))
            value += one
            slope[number] = by
    return value, slope
