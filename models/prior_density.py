"""Log density of the priors of a plan at draws of locations, scales, dispersions and typical shares."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint
from .field import FieldDraws
from .priors import HalfNormal

Floats = NDArray[np.float64]


def log_prior(blueprint: Blueprint, draws: FieldDraws) -> dict[str, Floats]:
    """Log prior density of draws, by the names they are stored under.

    The effects given their scales have no entry, nor have the shares of the total spread: no setting changes their
    law. Densities are on the natural scale of each parameter, so that differences between two plans are weights.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
        R draws.

    Returns
    -------
    dict of name to (R, S), or (R,) for what has no step
    """
    prior, steps = blueprint.prior, blueprint.panel.funnel.steps
    intercepts = [
        prior.intercept_of(step.name).logpdf(draws.intercept[:, place], ratio)
        for place, (step, ratio) in enumerate(zip(steps, blueprint.ratio_steps, strict=True))
    ]
    found = {"intercept": np.stack(intercepts, axis=1)}
    if blueprint.shared:
        assert draws.total_spread is not None
        found["total_spread"] = HalfNormal(scale=prior.spread).logpdf(draws.total_spread)
    for block in blueprint.blocks:
        if block.sd is not None:
            found[f"sd_{block.name}"] = block.sd.logpdf(draws.sd[block.name])
    if any(blueprint.ratio_steps):
        ratio = np.array(blueprint.ratio_steps)
        found["phi"] = np.where(ratio, prior.phi.logpdf(np.where(ratio, draws.phi - 1, 1.0)), 0.0)
    if blueprint.concentration is not None:
        assert draws.concentration is not None
        found["log_concentration"] = blueprint.concentration.prior.logpdf(np.log(draws.concentration))
    for one in blueprint.unknowns:
        if one.shape == ():
            found[one.name] = -0.5 * (draws.unknown[one.name] ** 2 + math.log(2 * math.pi))
    return found


def summed(parts: dict[str, Floats]) -> Floats:
    """One log density a draw, (R,)."""
    return np.sum([part.reshape(len(part), -1).sum(axis=1) for part in parts.values()], axis=0)


def joint(densities: Mapping[str, Floats]) -> Floats:
    """Log density of all of them together, (R,)."""
    return sum(
        (value.reshape(len(value), -1).sum(axis=1) for value in densities.values()), start=np.zeros(())
    )
