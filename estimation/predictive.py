"""Replicated reports: what the same rule of reporting would have shown under each draw, and how likely each was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.mode import Mode, get_mode

from ..models import paths
from ..models.blueprint import Blueprint
from ..models.compile import batch_logp
from ..models.contract import Batch
from ..models.field import FieldDraws

Floats = NDArray[np.float64]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Moments:
    """Mean and variance of every report's total given each draw, and a replicate; each (R, reports)."""

    mean: Floats
    variance: Floats
    replicate: Floats


def reports(blueprint: Blueprint) -> tuple[Report, ...]:
    """Every total spoken of, batch by batch, group by group, stage by stage."""
    out = []
    by_id = blueprint.panel.by_id
    for batch in blueprint.batches:
        for row, number in enumerate(batch.groups):
            group = blueprint.analysis.groups[number]
            for place, stage in enumerate(group.stages):
                behind = [by_id[s] for s in group.statements[place]]
                first = behind[0]
                out.append(
                    Report(
                        group=number,
                        place=place,
                        ids=" + ".join(s.id for s in behind),
                        kind="+".join((batch.report, *batch.parts)),
                        stage=blueprint.panel.funnel.stages[stage],
                        offense=first.offense,
                        jurisdiction=first.jurisdiction,
                        period=first.period,
                        source_id=" + ".join(sorted({s.source_id for s in behind})),
                        low=float(batch.low[row, place]),
                        high=float(batch.high[row, place]),
                    )
                )
    return tuple(out)


def moments(rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws) -> Moments:
    """Moments and replicates of every report under each draw.

    Parameters
    ----------
    eta : (R, S, A)
    draws : FieldDraws
        Of the same R draws.
    """
    mean, variance, replicate = [], [], []
    for batch in blueprint.batches:
        gathered = eta.reshape(len(eta), -1)[:, batch.slots]
        size = (len(eta), -1)
        if batch.ratio:
            m, v = paths.ratio_mean(gathered, batch, blueprint.ratio_steps, draws.phi, paths.ARRAY)
            m, v = m.sum(axis=2), v.sum(axis=2)
            excess = np.maximum(v / m - 1, 1e-9)
            y = rng.poisson(rng.gamma(np.maximum(m / excess, 1e-300), excess)).astype(float)
            mean.append(m.reshape(size))
            variance.append(v.reshape(size))
            replicate.append(y.reshape(size))
            continue
        chance = np.exp(paths.categories(gathered, batch, paths.ARRAY))
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
        mean.append((n * reach).sum(axis=2).reshape(size))
        variance.append((n * reach * (1 - reach) * np.expand_dims(spread, -1)).sum(axis=2).reshape(size))
        z = rng.multinomial(batch.n.astype(np.int64), shown / shown.sum(axis=-1, keepdims=True))
        y = z.sum(axis=2)[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
        replicate.append(y.reshape(size).astype(float))
    return Moments(*(np.concatenate(part, axis=1) for part in (mean, variance, replicate)))


def log_likelihood(blueprint: Blueprint, eta: Floats, draws: FieldDraws) -> Floats:
    """Log probability of every group's reports under each draw, (R, groups in batch order).

    The kinds' own graphs are interpreted, not compiled: the numbers are those the sampler used.
    """
    point = pt.dmatrix("eta")
    phi = pt.dvector("phi")
    concentration = pt.dscalar("concentration")
    uses = draws.concentration is not None
    whole = pt.specify_shape(point, (blueprint.layout.steps, blueprint.layout.size))
    logs = [
        batch_logp(batch, whole, blueprint.ratio_steps, phi, concentration if uses else None)
        for batch in blueprint.batches
    ]
    program = pytensor.function(
        [point, phi, concentration],
        pt.concatenate(logs),
        mode=Mode("py", get_mode("FAST_COMPILE").provided_optimizer),
        on_unused_input="ignore",
    )
    total = draws.concentration if uses else np.zeros(len(eta))
    assert total is not None
    return np.stack([program(eta[r], draws.phi[r], total[r]) for r in range(len(eta))])


def group_ids(batches: Sequence[Batch]) -> list[str]:
    """Names of the groups, in batch order."""
    return [name for batch in batches for name in batch.statement_id]


def dataset(values: Floats, shown: Sequence[Report], chains: int) -> xr.Dataset:
    """Replicates (R, reports) as a dataset ``count`` (chain, draw, statement_id)."""
    shaped = values.reshape(chains, -1, values.shape[1]).astype(np.float32)
    return xr.Dataset({"count": (("chain", "draw", "statement_id"), shaped)}, coords=coordinates(shown))


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
