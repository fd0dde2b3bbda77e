"""From a blueprint to a PyMC model, with a typed map of what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from ..data.names import AXES
from . import catalogue, paths
from .blueprint import Blueprint
from .centring import weights
from .contract import Batch, PartKind, Parts, PathRates, ReportKind
from .field_op import field_eta, field_prior, make_design
from .priors import Normal
from .scales_op import draw_coordinates, log_scales, spread_prior

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompiledModel:
    """A PyMC model and the map from the blueprint to its variables.

    Parameters
    ----------
    model : pymc.Model
    blueprint : Blueprint
    eta : TensorVariable
        Linear predictors of the active step-cells, (S, A).
    logp : tuple of TensorVariable
        Log probability of each group's report, one vector a batch, in the order of ``blueprint.batches``.
    hyper : tuple of str
        Names of the location, scale and dispersion variables.
    blocks : tuple of str
        Names of the blocks; their stored values carry the prefix ``effect_``.
    weights : tuple of array
        Centring weights of each block's coefficients, (S, free…), in the order of ``blocks``.
    """

    model: pm.Model
    blueprint: Blueprint
    eta: TensorVariable
    logp: tuple[TensorVariable, ...]
    hyper: tuple[str, ...]
    blocks: tuple[str, ...]
    weights: tuple[Floats, ...]


def effect_name(block: str) -> str:
    """Name of a block's stored values; a bare axis name would clash with its own coordinate."""
    return f"effect_{block}"


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
        centred = weights(blueprint, scales)
        if blueprint.blocks:
            eta = _field(blueprint, intercept, _log_scales(blueprint), centred)
        else:
            eta = pt.broadcast_to(intercept[:, None], (layout.steps, layout.size))
        phi = None
        hyper = [
            "intercept",
            *(["total_spread"] if blueprint.shared else []),
            *(f"sd_{b.name}" for b in blueprint.blocks),
        ]
        if any(blueprint.ratio_steps):
            excess = blueprint.prior.phi.variable("phi_excess", ("step",))
            phi = pm.Deterministic("phi", 1 + excess * np.array(blueprint.ratio_steps), dims="step")
            hyper.append("phi")
        concentration = None
        if blueprint.concentration is not None:
            concentration = pt.exp(blueprint.concentration.prior.variable("log_concentration"))
            hyper.append("log_concentration")
        logs = []
        for number, batch in enumerate(blueprint.batches):
            logs.append(batch_logp(batch, eta, blueprint.ratio_steps, phi, concentration))
            pm.Potential(f"reports_{number}", logs[-1].sum())
    return CompiledModel(
        model,
        blueprint,
        eta,
        tuple(logs),
        tuple(hyper),
        tuple(block.name for block in blueprint.blocks),
        tuple(centred[block.name] for block in blueprint.blocks),
    )


def batch_logp(
    batch: Batch,
    eta: TensorVariable,
    ratio_steps: tuple[bool, ...],
    phi: TensorVariable | None,
    concentration: TensorVariable | None,
) -> TensorVariable:
    """Log probability of the reports of one batch, (S,): path, then parts, then report."""
    flat = eta.ravel()
    whole = batch.slots.size == np.prod(eta.type.shape if None not in eta.type.shape else (0,))
    if whole and (batch.slots.ravel() == np.arange(batch.slots.size)).all():
        gathered = flat.reshape(batch.slots.shape)
    else:
        gathered = flat[batch.slots.ravel()].reshape(batch.slots.shape)
    rates = PathRates(gathered, ratio_steps, phi, concentration)
    parts = _first_parts(rates, batch)
    for name in batch.parts:
        kind = catalogue.kind(name)
        assert isinstance(kind, PartKind)
        parts = kind.parts(parts, rates, batch)
    report = catalogue.kind(batch.report)
    assert isinstance(report, ReportKind)
    return report.logp(parts, batch)


def _first_parts(rates: PathRates, batch: Batch) -> Parts:
    """Parts of single steps, before any path or part kind has spoken."""
    n = pt.constant(batch.n)
    if batch.ratio:
        assert rates.phi is not None
        mean, variance = paths.ratio_mean(rates.eta, batch, rates.ratio_steps, rates.phi, paths.TENSOR)
        total = mean.sum(axis=1)
        return Parts(n=n, log_mean=pt.log(total), factor=variance.sum(axis=1) / total)
    log_pi = paths.single(rates.eta, paths.TENSOR)
    return Parts(n=n, log_pi=log_pi, eta=rates.eta[:, 0, 0], concentration=rates.concentration)


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


def _field(
    blueprint: Blueprint, intercept: TensorVariable, log_sd: TensorVariable, centred: Mapping[str, Floats]
) -> TensorVariable:
    """Linear predictors of the active step-cells, (S, A); the blocks' values are stored as deterministics."""
    blocks, layout = blueprint.blocks, blueprint.layout
    design = make_design(blocks, layout)
    weight = np.concatenate([centred[block.name].reshape(layout.steps, -1) for block in blocks], axis=1)

    def draw(
        log_sd: Floats, weight: Floats, rng: np.random.Generator, size: tuple[int, ...] | None
    ) -> Floats:
        scale = np.exp(weight * log_sd[..., design.block])
        return rng.normal(0.0, scale, (*(size or ()), *scale.shape[-2:]))

    z = pm.CustomDist(
        "z",
        log_sd,
        weight,
        logp=lambda value, log_sd, weight: field_prior(value, log_sd, weight, design.block),
        random=lambda log_sd, weight, rng=None, size=None: draw(log_sd, weight, rng, size),
        signature="(s,b),(s,f)->(s,f)",
    )
    scaled = z * pt.exp((1 - weight) * log_sd[:, design.block])
    start = 0
    for block in blocks:
        shape = centred[block.name].shape
        end = start + int(np.prod(shape[1:]))
        value = scaled[:, start:end].reshape(shape)
        for place, basis in enumerate(block.bases):
            value = pt.moveaxis(pt.dot(pt.moveaxis(value, 1 + place, -1), basis.matrix.T), -1, 1 + place)
        dims = None if block.cellwise else ("step", *block.axes)
        pm.Deterministic(effect_name(block.name), value, dims=dims)
        start = end
    return field_eta(intercept, z, log_sd, weight, design)
