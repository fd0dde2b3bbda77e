"""The count also holds cases that began otherwise than as referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Group, PartKind, Unknown
from ..paths import TENSOR

_NORMAL_90 = 1.6448536269514722
# A logistic law of this scale has standard deviation one.
_LOGISTIC = np.sqrt(3) / np.pi


class AllSources(PartKind):
    """Referred cases and others together: a share c of the count began as referrals.

    At the first such stage the count is the referred part plus the others, with c = E(referred) / E(all). Between two
    counts of every source the step's rate is that of the mixed population, equal to the referred one up to an offset.
    Counts of unknown origin hold referrals only with a stated chance: their c has an atom at 1.
    """

    name: ClassVar[str] = "all_sources"
    layer: ClassVar = "parts"
    order: ClassVar[int] = 20
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "with the share fixed at 1 it is exact"
    origins: ClassVar[tuple[str, ...]] = ("all_sources", "unknown")
    example: ClassVar[str] = (
        "# long form; all arrests of the unit, whatever they began with\n"
        "jurisdiction,period_start,period_end,offense,stage,relation,count,origin\n"
        "North,2024,2024,all,referral,exact,412,referred_only\nNorth,2024,2024,all,arrest,exact,57,all_sources\n"
    )

    class Settings(terms.Settings):
        """Settings of the share.

        ``share``: central 90 % of the share of all-source counts that began as referrals, in a typical place.
        ``between``: sd of its logit between places. ``offset``: sd of the log-odds (log for ratio steps) by which a
        step between two all-source counts departs from the referred one. ``whole``: chance that a count of unknown
        origin holds referrals only.
        """

        share: tuple[float, float] = (0.2, 0.9)
        between: float = Field(0.75, gt=0)
        offset: float = Field(0.3, gt=0)
        whole: float = Field(0.3, ge=0, lt=1)

        @field_validator("share")
        @classmethod
        def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
            if not 0 < value[0] < value[1] < 1:
                raise ValueError("share needs two ascending numbers between 0 and 1")
            return value

        @property
        def location(self) -> tuple[float, float]:
            """Mean and sd of the logit of the typical share."""
            low, high = (np.log(x) - np.log1p(-x) for x in self.share)
            return float((low + high) / 2), float((high - low) / (2 * _NORMAL_90))

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return "The count holds cases that did not begin as referrals too; what share did is not known, only its prior."

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is an outcome's origin anything but referrals only?"""
        return statement.origin in self.origins and statement.stage != panel.funnel.stages[0]

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Do other sources enter the group?"""
        return group.origin != "referred"

    def unknowns(self, panel: Panel, analysis: Analysis) -> tuple[Unknown, ...]:
        """The typical share, each place's departure from it, and the offsets of later steps."""
        places = len(source_places(panel, analysis))
        if not places:
            return ()
        steps = len(panel.funnel.steps)
        return (
            Unknown("source_share", ()),
            Unknown("source_place", (places,)),
            Unknown("source_offset", (steps, places)),
        )

    def reweigh(self, unknown: Mapping[str, Any], old: Any, new: Any) -> NDArray[np.float64] | None:
        """Another prior of the typical share's logit."""
        if old.model_copy(update={"share": new.share}) != new or "source_share" not in unknown:
            return None
        (centre, sd), (moved, spread) = old.location, new.location
        u = unknown["source_share"]
        return 0.5 * (u**2 - ((centre + sd * u - moved) / spread) ** 2) - np.log(spread / sd)

    def bind(self, batch: Batch, groups: Sequence[Group], panel: Panel, analysis: Analysis) -> Batch:
        """The place of each cell, and how other sources enter each group."""
        numbers = {place: row for row, place in enumerate(source_places(panel, analysis))}
        shape = panel.axes.shape
        place = np.zeros(batch.mask.shape, dtype=np.int64)
        for row, group in enumerate(groups):
            if group.origin == "referred":
                continue
            cells = np.array([group.part]) if group.part >= 0 else group.cells
            found = np.unravel_index(cells, shape)[1]
            place[row, : len(found)] = [numbers[int(j)] for j in found]
        return batch.with_data(
            {
                "source": place,
                "mixed": np.array([group.origin != "referred" for group in groups]),
                "entry": np.array([group.origin in ("all_sources", "unknown") for group in groups]),
                "unknown_origin": np.array([group.origin == "unknown" for group in groups]),
                "enters": _enters(batch, panel),
            }
        )

    def shift(self, eta: Any, batch: Batch, settings: Any, unknown: Mapping[str, Any], ops: Any) -> Any:
        """Ratio paths: divide by the share at the first stage; later steps carry their offset."""
        place, entry = batch.data["source"], batch.data["entry"][:, None, None]
        step = np.maximum(batch.step, 0)
        offset = settings.offset * unknown["source_offset"][..., step, place[..., None]]
        onward = ((batch.segment > 0) | ((batch.segment == 0) & ~entry)) & batch.data["mixed"][:, None, None]
        out = eta + ops.where(onward, offset, 0.0)
        if not batch.ratio or not entry.any():
            return out
        share = log_share(settings, unknown, place, batch.data["unknown_origin"][:, None], ops)
        return out - ops.where(batch.data["enters"] & entry, share[..., None], 0.0)

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """Probability paths: an independent Poisson count of others, (1 - c) / c times the referred mean."""
        entry = batch.data["entry"]
        if parts.log_pi is None or not entry.any():
            return replace(parts, eta=None)
        unsure = batch.data["unknown_origin"][:, None]
        share = log_share(settings, rates.unknown, batch.data["source"], unsure, TENSOR)
        share = pt.minimum(share, -1e-9)
        odds = pt.log1mexp(share) - share
        n = pt.constant(np.where(batch.mask & entry[:, None], batch.n, 0.0))
        log_n = pt.log(pt.maximum(n, 1e-300))
        ends = [pt.logsumexp(parts.log_pi[..., d + 1] + log_n + odds, axis=1) for d in range(batch.depth)]
        return replace(parts, eta=None, log_poisson=pt.stack(ends, axis=-1))


def log_share(settings: Any, unknown: Mapping[str, Any], place: Any, unsure: Any, ops: Any) -> Any:
    """Log share of referrals in the count of each cell, (…, S, m).

    Where the origin is unknown the place's coordinate z runs through the mixed law by its quantiles: beyond the
    chance of ``whole`` the share is 1, below it a logistic law of the same spread; continuous at the seam.
    """
    centre, sd = settings.location
    z = unknown["source_place"][..., place]
    typical = centre + sd * unknown["source_share"][..., None, None]
    plain = -ops.softplus(-(typical + settings.between * z))
    if not np.any(unsure):
        return plain
    level = ops.phi(z) / (1 - settings.whole)
    inside = ops.minimum(level, 1 - 1e-9)
    logit = ops.log(inside) - ops.log(1 - inside)
    mixed = -ops.softplus(-(typical + settings.between * _LOGISTIC * logit))
    return ops.where(unsure, ops.where(level < 1 - 1e-9, mixed, 0.0), plain)


def _enters(batch: Batch, panel: Panel) -> NDArray[np.bool_]:
    """The step of each path at whose end others join: the last to the first count, of those on the log scale."""
    ratio = np.array([step.kind == "ratio" for step in panel.funnel.steps])
    first = batch.segment == 0
    able = first & ratio[np.maximum(batch.step, 0)]
    able = np.where(able.any(axis=-1, keepdims=True), able, first)
    place = np.arange(able.shape[-1])
    return able & (place == np.where(able, place, -1).max(axis=-1, keepdims=True))


def source_places(panel: Panel, analysis: Analysis) -> tuple[int, ...]:
    """Jurisdiction leaves of the cells that groups of mixed origin hold, ascending."""
    cells = [
        group.part if group.part >= 0 else cell
        for group in analysis.groups
        if group.origin != "referred"
        for cell in group.cells.tolist()
    ]
    return tuple(sorted({int(np.unravel_index(cell, panel.axes.shape)[1]) for cell in cells}))
