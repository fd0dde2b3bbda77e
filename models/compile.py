"""From a blueprint to a PyMC model, with a typed map of what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from ..data.names import AXES
from .anchored import put_anchors
from .anchors import NO_ANCHORS, Anchors, make_anchors
from .blueprint import Blueprint
from .centring import weights
from .field_graph import Field
from .later import pm
from .needed import needed
from .priors import Fixed, Normal
from .scales_op import draw_coordinates, log_scales, spread_prior
from .sightings import Sightings, make_sightings
from .values import Values, batch_logp, values_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompiledModel:
    """A PyMC model and the map from the blueprint to its variables.

    Parameters
    ----------
    model : pymc.Model
    blueprint : Blueprint
    logp : tuple of TensorVariable
        Log probability of each group's report, one vector a batch, in the order of ``blueprint.batches``.
    hyper : tuple of str
        Names of the location, scale and dispersion variables.
    blocks : tuple of str
        Names of the blocks; their stored values carry the prefix ``effect_``.
    unknowns : tuple of str
        Names of the standard normal coordinates of what the kinds do not know.
    weights : tuple of array
        Centring weights of each block's coefficients, (S, free…), in the order of ``blocks``.
    anchors : Anchors
        Cell effects that are centred on counts; stored as ``anchored``.
    cautious : bool
        Was the centring chosen before anything was known of the scales?
    """

    model: pm.Model
    blueprint: Blueprint
    logp: tuple[TensorVariable, ...]
    hyper: tuple[str, ...]
    blocks: tuple[str, ...]
    unknowns: tuple[str, ...]
    weights: tuple[Floats, ...]
    anchors: Anchors
    cautious: bool


def compile_model(blueprint: Blueprint, scales: Mapping[str, Floats] | None = None) -> CompiledModel:
    """Write the blueprint as a PyMC model.

    The likelihood enters as one potential a batch. Effects are stored as deterministic variables named after their
    block; the coefficients they are made of stand in ``z``, block after block.

    Parameters
    ----------
    blueprint : Blueprint
    scales : mapping of block name to (S,), optional
        Plug-in standard deviations for the centring of coefficients; the density is the same whatever they are.
    """
    panel, layout = blueprint.panel, blueprint.layout
    coords: dict[str, tuple[str, ...]] = {
        "step": tuple(step.name for step in panel.funnel.steps),
        **{axis: panel.axes[axis].leaves for axis in AXES},
    }
    if blueprint.shared:
        coords["block"] = tuple(block.name for block in blueprint.shared)
    with pm.Model(coords=coords) as model:
        intercept = _intercept(blueprint)
        anchors = make_anchors(blueprint)
        sightings = make_sightings(blueprint, anchors)
        anchors = anchors if sightings is not None else NO_ANCHORS
        centred = _centring(blueprint, scales, sightings)
        log_sd = _log_scales(blueprint) if blueprint.blocks else None
        part = needed(blueprint)
        phi = None
        hyper = [
            "intercept",
            *(["total_spread"] if blueprint.shared else []),
            *(f"sd_{b.name}" for b in blueprint.blocks if not isinstance(b.sd, Fixed)),
        ]
        if any(blueprint.ratio_steps):
            excess = blueprint.prior.phi.variable("phi_excess", ("step",))
            phi = pm.Deterministic("phi", 1 + excess * np.array(blueprint.ratio_steps), dims="step")
            hyper.append("phi")
        concentration = None
        if blueprint.concentration is not None:
            concentration = pt.exp(blueprint.concentration.prior.variable("log_concentration"))
            hyper.append("log_concentration")
        unknown = {one.name: pm.Normal(one.name, 0.0, 1.0, shape=one.shape) for one in blueprint.unknowns}

        def predictor(eta: TensorVariable) -> Values:
            eta = blueprint.added(eta, part.cells, unknown)
            return values_of(blueprint, eta, phi, concentration, unknown, part.mixture)

        if log_sd is None:
            values = predictor(pt.broadcast_to(intercept[:, None], (layout.steps, len(part.cells))))
        else:
            field = Field(blueprint, log_sd, centred, anchors, part)
            anchor = pm.Normal("anchor", 0.0, 1.0, shape=(len(anchors),)) if len(anchors) else None
            if sightings is None:
                z = field.coefficients("z")
                field.store(z)
                values = predictor(field.eta(intercept, z, blueprint.blocks))
            else:
                values, gain = field.sighted(intercept, sightings, predictor, anchor)
                if anchor is not None:
                    values = put_anchors(blueprint, anchors, part, values, log_sd, anchor, gain)
        logs = []
        for number, batch in enumerate(part.batches):
            logs.append(batch_logp(blueprint, batch, values))
            pm.Potential(f"reports_{number}", logs[-1].sum())
    return CompiledModel(
        model,
        blueprint,
        tuple(logs),
        tuple(hyper),
        tuple(block.name for block in blueprint.blocks),
        tuple(unknown),
        tuple(centred[block.name] for block in blueprint.blocks),
        anchors,
        scales is None,
    )


def _centring(
    blueprint: Blueprint, scales: Mapping[str, Floats] | None, sightings: Sightings | None
) -> Mapping[str, Floats]:
    """Centring weights; none where sightings do their work."""
    centred = weights(blueprint, scales)
    return centred if sightings is None else {name: np.zeros_like(weight) for name, weight in centred.items()}


def _intercept(blueprint: Blueprint) -> TensorVariable:
    """One location a step, on its link scale."""
    steps = blueprint.panel.funnel.steps
    pairs = [
        (blueprint.prior.intercept_of(s.name), r) for s, r in zip(steps, blueprint.ratio_steps, strict=True)
    ]
    normals = [(prior, ratio) for prior, ratio in pairs if isinstance(prior, Normal)]
    if len(normals) == len(pairs):
        means = np.array([prior.location(ratio) for prior, ratio in normals])
        return pm.Normal("intercept", means, np.array([prior.sd for prior, _ in normals]), dims="step")
    each = [prior.variable(f"intercept_{i}", ratio) for i, (prior, ratio) in enumerate(pairs)]
    return pm.Deterministic("intercept", pt.stack(each), dims="step")


def _log_scales(blueprint: Blueprint) -> TensorVariable:
    """Log standard deviations of the blocks, (S, B): shares of one total spread, or a prior of their own."""
    shared, steps = blueprint.shared, blueprint.layout.steps
    spread = blueprint.prior.spread
    columns: dict[str, TensorVariable] = {}
    if shared:
        # One unconstrained vector in place of a total and a simplex: the same prior, no transforms to compile.
        blocks = len(shared)
        h = pm.CustomDist(
            "spread",
            np.full((steps, blocks), spread),
            logp=lambda value, scale: spread_prior(value, blocks, spread),
            random=lambda scale, rng=None, size=None: draw_coordinates(rng, spread, (steps, blocks)),
            signature="(s,b)->(s,b)",
        )
        log_sd = log_scales(h, blocks)
        pm.Deterministic("total_spread", pt.exp(h[:, 0]), dims="step")
        for place, block in enumerate(shared):
            columns[block.name] = log_sd[:, place]
            pm.Deterministic(f"sd_{block.name}", pt.exp(log_sd[:, place]), dims="step")
        if len(shared) == len(blueprint.blocks):
            return log_sd
    for block in blueprint.blocks:
        if block.sd is not None:
            columns[block.name] = pt.log(block.sd.variable(f"sd_{block.name}", ("step",)))
    return pt.stack([columns[block.name] for block in blueprint.blocks], axis=1)
