"""Replicated reports: what the same rule of reporting would have shown under each draw, and how likely each was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytensor
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.mode import Mode, get_mode
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter, out2in
from pytensor.scalar.math import Softplus
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorVariable

from ..models import catalogue, paths
from ..models.batches import Batch
from ..models.blueprint import Blueprint
from ..models.contract import ReportKind
from ..models.crossing import given_others
from ..models.expected import expected as expected_counts
from ..models.expected import others as others_in
from ..models.field import FieldDraws
from ..models.values import batch_logp, values_of
from .thinning import parts, take
from .together import Together, chained, crossing, joined, nested

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_AT_ONCE = 1_000_000  # numbers a thread


@dataclass(frozen=True, slots=True)
class Report:
    """One total a group speaks of: where it stands and what was seen.

    Parameters
    ----------
    group, place : int
        Position of the group in the analysis, and of the stage within it.
    ids : str
        Ids of the statements behind it, joined.
    kind : str
        Report and part kinds, joined with ``+``.
    centre : float or None
        Of a soft report, the middle of what it states: that is what its moments and replicates are of.
    """

    group: int
    place: int
    ids: str
    kind: str
    stage: str
    offense: str
    jurisdiction: str
    period: str
    source_id: str
    low: float
    high: float
    centre: float | None = None


@dataclass(frozen=True)
class Moments:
    """Moments of some reports' totals, or of what soft reports state, given each draw; each (R, reports).

    Parameters
    ----------
    mean, variance, replicate : (R, reports)
    given_others : (R, reports)
        Standard deviation of a total given all totals that it crosses; NaN where it crosses none.
    together : tuple of Together
        Reports of one group, which share units.
    """

    mean: Floats
    variance: Floats
    replicate: Floats
    given_others: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    together: tuple[Together, ...] = ()

    @property
    def crossed(self) -> bool:
        """Does some total cross others?"""
        # Where none does, one number says so of all.
        return bool(self.given_others.size) and any(self.given_others.strides)


def reports(blueprint: Blueprint) -> tuple[Report, ...]:
    """Every total spoken of, batch by batch, group by group, stage by stage."""
    out = []
    by_id = blueprint.panel.by_id
    for batch in blueprint.batches:
        kind = _report_kind(batch)
        centre = kind.centre(batch, blueprint.kind_settings[kind.name])
        for row, number in enumerate(batch.groups):
            group = blueprint.analysis.groups[number]
            # A soft report gives a rate: its counts are what the rate makes of the denominators.
            scale = float(batch.n[row].sum()) if kind.soft else 1.0
            for place, stage in enumerate(group.stages):
                behind = [by_id[s] for s in group.statements[place]]
                first = behind[0]
                out.append(
                    Report(
                        group=number,
                        place=place,
                        ids=" + ".join(s.id for s in behind),
                        kind="+".join((batch.report, *batch.kinds[row])),
                        stage=blueprint.panel.funnel.stages[stage],
                        offense=first.offense,
                        jurisdiction=first.jurisdiction,
                        period=first.period,
                        source_id=" + ".join(sorted({s.source_id for s in behind})),
                        low=float(batch.low[row, place] * scale),
                        high=float(batch.high[row, place] * scale),
                        centre=None if centre is None else float(centre[row]),
                    )
                )
    return tuple(out)


def _report_kind(batch: Batch) -> ReportKind:
    kind = catalogue.kind(batch.report)
    assert isinstance(kind, ReportKind)
    return kind


def moments(rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws) -> Moments:
    """Moments and replicates of every report of a blueprint under each draw, worked out a few draws at a time.

    Parameters
    ----------
    eta : (R, S, A)
    draws : FieldDraws
        Of the same R draws.
    """
    pieces = list(parts(len(eta), eta[0].size, _AT_ONCE))
    shape = (len(eta), sum(batch.low.size for batch in blueprint.batches))
    whole = [np.empty(shape), np.empty(shape), np.empty(shape)]
    crossed = any(batch.members is not None for batch in blueprint.batches)
    # Where no totals cross, one number says so of all.
    whole.append(np.empty(shape) if crossed else np.broadcast_to(np.nan, shape))

    def look(piece: Ints, own: np.random.Generator) -> tuple[int, tuple[Together, ...]]:
        one = _moments(own, blueprint, eta[piece], take(draws, piece))
        few_of = (one.mean, one.variance, one.replicate, one.given_others)
        for out, few in zip(whole[: 3 + crossed], few_of, strict=False):
            out[piece] = few
        return len(piece), one.together

    # Each piece has a stream of its own, lest which core is first make a difference.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        shared = list(threads.map(look, pieces, rng.spawn(len(pieces))))
    mean, variance, replicate, others = whole
    return Moments(mean, variance, replicate, others, joined(shared))


def replicates(rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws) -> NDArray[np.float32]:
    """Replicates of every report under draws of the prior, (R, reports)."""
    return _moments(rng, blueprint, blueprint.predictor(draws), draws).replicate.astype(np.float32)


def _moments(rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws) -> Moments:
    mean, variance, replicate, crossed = [], [], [], []
    together: list[Together] = []
    end = 0
    for batch in blueprint.batches:
        columns = end + np.arange(batch.low.size).reshape(batch.low.shape)
        end += batch.low.size
        gathered = blueprint.gathered(batch, eta, draws.unknown)
        size = (len(eta), -1)
        crossed.append(np.full((len(eta), batch.low.size), np.nan))
        kind = _report_kind(batch)
        if kind.soft:
            expected = expected_counts(blueprint, batch, gathered, draws)
            mean.append(expected)
            law = kind.published(rng, expected, batch, blueprint.kind_settings[kind.name])
            variance.append(law[0])
            replicate.append(law[1])
            continue
        if batch.members is not None:
            cells = cell_moments(blueprint, batch, gathered, draws)
            inside = batch.members.astype(float)
            means, variances, drawn = (
                np.einsum("sdm,rsm->rsd", inside, each) for each in (*cells, _replicate(rng, *cells))
            )
            mean.append(means.reshape(size))
            variance.append(variances.reshape(size))
            replicate.append(drawn.reshape(size))
            alone = [given_others(batch.members[s], cells[1][:, s]) for s in range(len(batch.members))]
            crossed[-1] = np.stack(alone, axis=1).reshape(size)
            together.append(Together(columns, crossing(batch.members, cells[1])))
            continue
        if batch.ratio:
            log_mean, factor = paths.ratio_law(gathered, batch, blueprint.ratio_steps, draws.phi, paths.ARRAY)
            m = np.exp(log_mean)
            shown_counts: list[Floats] = []
            before = np.ones(())
            for d in range(batch.depth):
                given = m[..., d] if d == 0 else m[..., d] / m[..., d - 1] * before
                # A total of binomials, whose factor is below 1, is drawn as the Poisson beside it.
                excess = np.maximum(factor[..., d] - 1, 1e-9)
                before = rng.poisson(rng.gamma(np.maximum(given / excess, 1e-300), excess)).astype(float)
                shown_counts.append(before)
            mean.append(m.reshape(size))
            variance.append((m * factor).reshape(size))
            if batch.depth > 1:
                together.append(Together(columns, chained(m, m * factor)))
            replicate.append(np.stack(shown_counts, axis=-1).reshape(size))
            continue
        chance = np.exp(blueprint.chances(batch, gathered, draws.unknown))
        spread: Floats | float = 1.0
        if draws.concentration is not None:
            total = draws.concentration[:, None, None]
            spread = (total + batch.n) / (total + 1)
            drawn = rng.beta(total * chance[..., 1] + 1e-300, total * chance[..., 0] + 1e-300)
            shown = np.stack([1 - drawn, drawn], axis=-1)
        else:
            shown = chance
        reach = chance[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
        n = batch.n[..., None]
        others = others_in(blueprint, batch, reach, draws)
        mean.append(((n * reach).sum(axis=2) + others).reshape(size))
        within = (n * reach * (1 - reach) * np.expand_dims(spread, -1)).sum(axis=2)
        variance.append((within + others).reshape(size))
        if batch.depth > 1:
            together.append(Together(columns, nested(batch.n, reach, spread, others)))
        if shown.shape[-1] == 2:
            y = rng.binomial(batch.n.astype(np.int64), np.clip(shown[..., 1], 0, 1)).sum(axis=2)[..., None]
        else:
            z = rng.multinomial(batch.n.astype(np.int64), shown / shown.sum(axis=-1, keepdims=True))
            y = z.sum(axis=2)[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
        replicate.append((y + rng.poisson(others)).reshape(size).astype(float))
    means, variances, drawn, others = (
        np.concatenate(part, axis=1) for part in (mean, variance, replicate, crossed)
    )
    return Moments(means, variances, drawn, others, tuple(together))


def cell_moments(
    blueprint: Blueprint, batch: Batch, gathered: Floats, draws: FieldDraws
) -> tuple[Floats, Floats]:
    """Mean and variance of the cells' counts in totals that cross, (R, S, m); ``gathered`` (R, S, m, L)."""
    if batch.ratio:
        return paths.ratio_mean(gathered, batch, blueprint.ratio_steps, draws.phi, paths.ARRAY)
    chance = np.exp(blueprint.chances(batch, gathered, draws.unknown))
    mean = batch.n * chance[..., 1]
    return mean, mean * chance[..., 0]


def _replicate(rng: np.random.Generator, mean: Floats, variance: Floats) -> Floats:
    """Counts of these moments: binomial, negative binomial, or Poisson between them."""
    factor = variance / np.maximum(mean, 1e-300)
    wide = rng.poisson(
        rng.gamma(np.maximum(mean / np.maximum(factor - 1, 1e-9), 1e-300), np.maximum(factor - 1, 1e-9))
    )
    chance = np.clip(1 - factor, 1e-12, 1.0)
    narrow = rng.binomial(np.rint(mean / chance).astype(np.int64), chance)
    return np.where(factor < 1, narrow, wide).astype(float)


@node_rewriter([Elemwise])
def _softplus_by_arrays(fgraph: FunctionGraph, node: Apply) -> list[TensorVariable] | None:
    """Interpreted, a softplus is worked out number by number in Python; these are array functions."""
    if not isinstance(node.op.scalar_op, Softplus):
        return None
    (x,) = node.inputs
    return [pt.maximum(x, 0.0) + pt.log1p(pt.exp(-pt.abs(x)))]


def log_likelihood(blueprint: Blueprint, eta: Floats, draws: FieldDraws) -> Floats:
    """Log probability of every group's reports under each draw, (R, groups in batch order).

    The kinds' own graphs are interpreted, not compiled: the numbers are those the sampler used.
    """
    point = pt.dmatrix("eta")
    unknown = {one.name: pt.tensor(one.name, shape=one.shape, dtype="float64") for one in blueprint.unknowns}
    phi = pt.dvector("phi")
    concentration = pt.dscalar("concentration")
    uses = draws.concentration is not None
    whole = pt.specify_shape(point, (blueprint.layout.steps, blueprint.layout.size))
    values = values_of(blueprint, whole, phi, concentration if uses else None, unknown, blueprint.mixture)
    logs = [batch_logp(blueprint, batch, values) for batch in blueprint.batches]
    program = pytensor.function(
        [point, phi, concentration, *unknown.values()],
        pt.concatenate(logs),
        mode=Mode("py", get_mode("FAST_COMPILE").provided_optimizer).register(
            (out2in(_softplus_by_arrays), 1.5)
        ),
        on_unused_input="ignore",
    )
    total = draws.concentration if uses else np.zeros(len(eta))
    assert total is not None
    rest = [draws.unknown[name] for name in unknown]
    out = np.empty((len(eta), len(group_ids(blueprint.batches))))
    for r in range(len(eta)):
        out[r] = program(eta[r], draws.phi[r], total[r], *(x[r] for x in rest))
    return out


def group_ids(batches: Sequence[Batch]) -> list[str]:
    """Names of the groups, in batch order."""
    return [name for batch in batches for name in batch.statement_id]


def observed(shown: Sequence[Report]) -> xr.Dataset:
    """What was seen: ``low`` and ``high`` (statement_id)."""
    return xr.Dataset(
        {
            "low": (("statement_id",), np.array([r.low for r in shown])),
            "high": (("statement_id",), np.array([r.high for r in shown])),
        },
        coords=coordinates(shown),
    )


def coordinates(shown: Sequence[Report]) -> dict[str, object]:
    """Coordinates of the reports."""
    names = ("stage", "offense", "jurisdiction", "period", "source_id", "kind")
    labels = {name: ("statement_id", [str(getattr(r, name)) for r in shown]) for name in names}
    return {"statement_id": [r.ids for r in shown], **labels}
