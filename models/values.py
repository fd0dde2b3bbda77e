"""What reports are read against, and the log probability of a batch of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from . import catalogue, paths
from .anchors import Edge
from .batches import Batch, Parts, PathRates
from .blueprint import Blueprint
from .contract import PartKind, ReportKind
from .mixture import Mixture, departures
from .mixture_op import mix
from .ratio_law_op import ratio_law


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


def path_eta(blueprint: Blueprint, batch: Batch, values: Values) -> TensorVariable:
    """Linear predictors along the paths of a batch, (S, m, L), with what its kinds add."""
    flat, slots = values.flat, batch.slots
    shape = flat.type.shape[0]
    if shape == slots.size and (slots.ravel() == np.arange(slots.size)).all():
        gathered = flat.reshape(slots.shape)
    else:
        gathered = flat[slots.ravel()].reshape(slots.shape)
    return blueprint.shifted(gathered, batch, values.unknown, paths.TENSOR)


def along(
    blueprint: Blueprint, batches: Sequence[Batch], values: Values, edges: Sequence[Edge]
) -> TensorVariable:
    """Sums of the linear predictors along stretches of ratio paths, one an edge, in their order, (E,)."""
    sums, order = [], []
    for mine, path, on, _ in _stretches(blueprint, batches, values, edges):
        sums.append(pt.where(on, path, 0.0).sum(axis=1))
        order += mine
    return pt.concatenate(sums)[np.argsort(order)]


def factors_along(
    blueprint: Blueprint, batches: Sequence[Batch], values: Values, edges: Sequence[Edge]
) -> TensorVariable:
    """Variance factors of the counts at the ends of stretches of ratio paths, (E,); see ``paths.ratio_law``."""
    assert values.phi is not None
    if not edges:
        return pt.zeros(0)
    factors, order = [], []
    for mine, path, on, step in _stretches(blueprint, batches, values, edges):
        factor = pt.zeros(len(mine))
        for place in range(on.shape[1]):
            here = on[:, place]
            moved = pt.exp(path[:, place]) * factor + values.phi[np.where(here, step[:, place], 0)]
            factor = moved if here.all() else pt.where(here, moved, factor)
        factors.append(factor)
        order += mine
    return pt.concatenate(factors)[np.argsort(order)]


def _stretches(
    blueprint: Blueprint, batches: Sequence[Batch], values: Values, edges: Sequence[Edge]
) -> Iterator[tuple[list[int], TensorVariable, NDArray[np.bool_], NDArray[np.int64]]]:
    """By batch: which edges, linear predictors of their cells' paths (e, L), which belong to the stretch, and steps."""
    for number, batch in enumerate(batches):
        mine = [e for e, edge in enumerate(edges) if edge.batch == number]
        if not mine:
            continue
        row, column, depth, since = (
            np.array([getattr(edges[e], name) for e in mine]) for name in ("row", "column", "depth", "since")
        )
        rows, at = np.unique(row, return_inverse=True)
        segment = batch.segment[row, column]
        on = (segment > since[:, None]) & (segment <= depth[:, None])
        path = path_eta(blueprint, batch.take(rows), values)
        # By one index: PyTensor makes a diagonal of two that run together, and loses its shape.
        cells, steps = batch.segment.shape[1:]
        path = path.reshape((len(rows) * cells, steps))[at * cells + column]
        yield mine, path, on, batch.step[row, column]


def batch_logp(blueprint: Blueprint, batch: Batch, values: Values) -> TensorVariable:
    """Log probability of the reports of one batch, (S,): path, then parts, then report."""
    shifted = path_eta(blueprint, batch, values)
    rates = PathRates(shifted, blueprint.ratio_steps, values.phi, values.concentration, values.unknown)
    parts = _first_parts(rates, batch)
    for name in batch.parts:
        kind = catalogue.kind(name)
        assert isinstance(kind, PartKind)
        parts = kind.parts(parts, rates, batch, blueprint.kind_settings[name])
    report = catalogue.kind(batch.report)
    assert isinstance(report, ReportKind)
    return report.logp(parts, batch, blueprint.kind_settings[batch.report])


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
