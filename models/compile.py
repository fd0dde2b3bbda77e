"""From a blueprint to a PyMC model, with a typed map of what stands where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from ..data.names import AXES
from . import catalogue, paths
from .anchors import WALL, Anchors, cell_block, make_anchors
from .blueprint import Blueprint
from .centring import weights
from .contract import Batch, PartKind, Parts, PathRates, ReportKind
from .field_op import field_eta, field_prior, make_design
from .mixture import Mixture, departures
from .mixture_op import mix
from .needed import Needed, needed
from .priors import Normal
from .ratio_law_op import ratio_law
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
        Linear predictors (S, N) of the cells that reports read; see ``needed``.
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
    """

    model: pm.Model
    blueprint: Blueprint
    eta: TensorVariable
    logp: tuple[TensorVariable, ...]
    hyper: tuple[str, ...]
    blocks: tuple[str, ...]
    unknowns: tuple[str, ...]
    weights: tuple[Floats, ...]
    anchors: Anchors


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
        anchors = make_anchors(blueprint)
        centred = _without(weights(blueprint, scales), blueprint, anchors)
        log_sd = _log_scales(blueprint) if blueprint.blocks else None
        part = needed(blueprint)
        if log_sd is not None:
            eta = _field(blueprint, intercept, log_sd, centred, anchors, part.cells)
        else:
            eta = pt.broadcast_to(intercept[:, None], (layout.steps, len(part.cells)))
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
        unknown = {one.name: pm.Normal(one.name, 0.0, 1.0, shape=one.shape) for one in blueprint.unknowns}
        values = values_of(blueprint, eta, phi, concentration, unknown, part.mixture)
        if len(anchors):
            assert log_sd is not None
            values = _anchor(blueprint, anchors, part, values, log_sd)
        logs = []
        for number, batch in enumerate(part.batches):
            logs.append(batch_logp(blueprint, batch, values))
            pm.Potential(f"reports_{number}", logs[-1].sum())
    return CompiledModel(
        model,
        blueprint,
        eta,
        tuple(logs),
        tuple(hyper),
        tuple(block.name for block in blueprint.blocks),
        tuple(unknown),
        tuple(centred[block.name] for block in blueprint.blocks),
        anchors,
    )


def _without(centred: Mapping[str, Floats], blueprint: Blueprint, anchors: Anchors) -> Mapping[str, Floats]:
    """Centring weights with none for the coefficients that anchors replace."""
    block = cell_block(blueprint)
    if block is None or not len(anchors):
        return centred
    cell = centred[block.name].copy()
    cell[anchors.step, anchors.unit] = 0.0
    return {**centred, block.name: cell}


def _anchor(
    blueprint: Blueprint, anchors: Anchors, part: Needed, values: Values, log_sd: TensorVariable
) -> Values:
    """Put the anchored cell effects into the predictor; their prior enters as a potential."""
    rest = []
    for number, rows in anchors.rows.items():
        one = part.batches[number].take(rows)
        gathered = values.flat[one.slots.ravel()].reshape(one.slots.shape)
        path = blueprint.shifted(gathered, one, values.unknown, paths.TENSOR)
        rest.append(pt.where(one.segment == 0, path, 0.0).sum(axis=(1, 2)))
    z = pm.Normal("anchor", 0.0, 1.0, shape=(len(anchors),))
    plain = len(anchors) - len(anchors.edges)
    # log du/dζ of each coordinate.
    slope = [pt.constant(np.log(anchors.scale[:plain]))]
    effects = []
    if rest:
        effects.append(anchors.scale[:plain] * z[:plain] + anchors.target[:plain] - pt.concatenate(rest))
    before: dict[tuple[int, int], TensorVariable] = {}
    for number, edge in enumerate(anchors.edges, start=plain):
        one = part.batches[edge.batch].take(np.array([edge.row]))
        gathered = values.flat[one.slots.ravel()].reshape(one.slots.shape)
        path = blueprint.shifted(gathered, one, values.unknown, paths.TENSOR)
        on = (one.segment[0, edge.column] >= 0) & (one.segment[0, edge.column] <= edge.depth)
        m = pt.where(on, path[0, edge.column], 0.0).sum() + before.get((edge.batch, edge.row), 0.0)
        kappa, at = float(anchors.scale[number]), z[number]
        if edge.open:
            moved, growth = WALL * pt.softplus(at) - 5 * kappa, np.log(WALL) - pt.softplus(-at)
        else:
            moved, growth = kappa * at, pt.constant(np.log(kappa))
        u = moved + anchors.target[number] - m
        before[edge.batch, edge.row] = before.get((edge.batch, edge.row), 0.0) + u
        effects.append(u[None])
        slope.append(growth[None])
    effect = pt.concatenate(effects)
    pm.Deterministic("anchored", effect)
    cell = next(i for i, block in enumerate(blueprint.blocks) if block.cellwise)
    log_scale = log_sd[anchors.step, cell]
    # The coordinate's own normal density is taken back: it is no prior.
    density = -0.5 * (effect * pt.exp(-log_scale)) ** 2 - log_scale + 0.5 * z**2
    pm.Potential("anchors", density.sum() + pt.concatenate(slope).sum())
    slot = part.slots(anchors.slot, blueprint.layout.size)
    return replace(values, flat=pt.inc_subtensor(values.flat[slot], effect))


def batch_logp(blueprint: Blueprint, batch: Batch, values: Values) -> TensorVariable:
    """Log probability of the reports of one batch, (S,): path, then parts, then report."""
    flat, slots = values.flat, batch.slots
    shape = flat.type.shape[0]
    if shape == slots.size and (slots.ravel() == np.arange(slots.size)).all():
        gathered = flat.reshape(slots.shape)
    else:
        gathered = flat[slots.ravel()].reshape(slots.shape)
    shifted = blueprint.shifted(gathered, batch, values.unknown, paths.TENSOR)
    rates = PathRates(shifted, blueprint.ratio_steps, values.phi, values.concentration, values.unknown)
    parts = _first_parts(rates, batch)
    for name in batch.parts:
        kind = catalogue.kind(name)
        assert isinstance(kind, PartKind)
        parts = kind.parts(parts, rates, batch, blueprint.kind_settings[name])
    report = catalogue.kind(batch.report)
    assert isinstance(report, ReportKind)
    return report.logp(parts, batch, blueprint.kind_settings[batch.report])


@dataclass(frozen=True)
class Values:
    """What the reports are read against, as tensors.

    Parameters
    ----------
    flat : (S × A + Q,)
        Linear predictors of the step-cells, and behind them those of the parts of unsplit totals.
    phi : (S,) or None
    concentration : scalar or None
    unknown : mapping of name to tensor
    """

    flat: TensorVariable
    phi: TensorVariable | None
    concentration: TensorVariable | None
    unknown: Mapping[str, TensorVariable]


def values_of(
    blueprint: Blueprint,
    eta: TensorVariable,
    phi: TensorVariable | None,
    concentration: TensorVariable | None,
    unknown: Mapping[str, TensorVariable],
    mixture: Mixture | None,
) -> Values:
    """The field (S, N) with the unsplit totals of ``mixture`` and their parts, raveled."""
    if mixture is None:
        return Values(eta.ravel(), phi, concentration, unknown)
    settings = blueprint.kind_settings["missing_denominator"]
    scale = departures(settings.factor, settings.shared)  # type: ignore[attr-defined]
    flat = mix(eta, mixture, scale, blueprint.ratio_steps, unknown["mix_shared"], unknown["mix_place"])
    return Values(flat, phi, concentration, unknown)


def _first_parts(rates: PathRates, batch: Batch) -> Parts:
    """Parts of single steps, before any path or part kind has spoken."""
    n = pt.constant(batch.n)
    if batch.ratio:
        assert rates.phi is not None
        law = ratio_law(
            rates.eta, rates.phi, batch.n, batch.segment, batch.step, rates.ratio_steps, batch.depth
        )
        return Parts(n=n, log_mean=law[0], factor=law[1])
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
    blueprint: Blueprint,
    intercept: TensorVariable,
    log_sd: TensorVariable,
    centred: Mapping[str, Floats],
    anchors: Anchors,
    cells: NDArray[np.int64],
) -> TensorVariable:
    """Linear predictors (S, N) of some active cells; the blocks' values are stored as deterministics."""
    blocks, layout = blueprint.blocks, blueprint.layout
    design = make_design(blocks, layout)
    design = replace(design, level=np.ascontiguousarray(design.level[cells]))
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
    if len(anchors):
        # Anchored effects are put in later; their places in z hold nothing.
        start = sum(int(np.prod(centred[b.name].shape[1:])) for b in blocks if not b.cellwise)
        held = np.ones(weight.shape)
        held[anchors.step, start + anchors.unit] = 0.0
        z = z * held
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
