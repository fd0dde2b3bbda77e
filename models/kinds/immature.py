"""Outcomes of a cohort are still arriving: what is known is what had arrived by a date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from ...data.panel import Panel
from ...data.statement import Statement
from .. import terms
from ..arrivals import arrivals
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Decision, Floats, Group, PartKind, Unknown
from ..delays import category_chances, closing_law, delay_law, seen_within
from ..lags import EVER
from ..paths import ARRAY, TENSOR
from ..revised import NAME, counted_before, records_of, unseen
from ..vintages import Vintages

_NORMAL_90 = 1.6448536269514722


class Immature(PartKind):
    """Counts of a cohort by dates: a multinomial over lags, thinned by discrete hazards.

    The rate of a step is the chance to pass within ``horizon`` periods; the rest never passes. Of those who do, a share
    has by a date, by hazards that differ by step, lag, offense, jurisdiction and cohort. Of those who never do, a share
    is known to be closed by a date (see ``closed``), by hazards of its own.
    """

    name: ClassVar[str] = "immature"
    layer: ClassVar = "parts"
    order: ClassVar[int] = 15
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "without delay, or with every count older than the horizon, it is exact"
    example: ClassVar[str] = (
        "# plan.toml: outcomes are waited for during four quarters, and some are taken back\n"
        '[kind.immature]\nhorizon = 4\nrevisions = "model"\n\n'
        "# long form: the same cohort at three dates; two of 60 investigations were found to belong elsewhere\n"
        '# without revisions the two rows are refused, with "latest" only the last one is read\n# data.csv\n'
        "jurisdiction,period_start,period_end,offense,stage,relation,count,origin,as_of\n"
        "North,2024-01-01,2024-03-31,possession,referral,exact,412,referred_only,2024-06-30\n"
        "North,2024-01-01,2024-03-31,possession,investigation,exact,31,referred_only,2024-06-30\n"
        "North,2024-01-01,2024-03-31,possession,investigation,exact,60,referred_only,2024-09-30\n"
        "North,2024-01-01,2024-03-31,possession,investigation,exact,58,referred_only,2024-12-31\n"
    )

    class Settings(terms.Settings):
        """Settings of the delays.

        ``horizon``: how many periods of the axis an outcome is waited for; 0, the default, leaves every count as it is.
        ``hazard``: central 90 % of the chance that an outcome which comes at all comes in its cohort's own period.
        ``walk``: sd of the logit hazard from one lag to the next. ``offense``, ``jurisdiction``: sd of its departures
        between them. ``drift``: sd of its change from one cohort to the next. ``closing``: central 90 % of the chance
        that a unit which never passes is closed in its cohort's own period; the rest of these hazards as of the others.
        ``publication``: relative shares of events that reach the tables 0, 1, … periods after they happened.
        ``revisions``: a count that falls from one date to the next is refused, or with ``latest`` the counts before it
        are dropped and listed, or with ``model`` records are taken back by chance. ``revised``: central 90 % of the
        chance, for ``model``, that a unit's record is looked at anew in a period. ``tail``: central 90 % of how many
        pass in a period after the horizon per one in the period before, which no count informs.
        """

        horizon: int = Field(0, ge=0)
        hazard: tuple[float, float] = (0.02, 0.6)
        walk: float = Field(0.5, gt=0)
        offense: float = Field(0.3, ge=0)
        jurisdiction: float = Field(0.3, ge=0)
        drift: float = Field(0.05, ge=0)
        closing: tuple[float, float] = (0.02, 0.6)
        publication: tuple[float, ...] = (1.0,)
        revisions: Literal["refuse", "latest", "model"] = "refuse"
        revised: tuple[float, float] = (0.001, 0.1)
        tail: tuple[float, float] = (0.2, 0.8)

        @field_validator("hazard", "closing", "revised", "tail")
        @classmethod
        def _ordered(cls, value: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
            if not 0 < value[0] < value[1] < 1:
                raise ValueError(f"{info.field_name} needs two ascending numbers between 0 and 1")
            return value

        @field_validator("publication")
        @classmethod
        def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
            if not value or min(value) < 0 or not 0 < sum(value) < np.inf:
                raise ValueError("publication needs numbers from 0 on, not all of them 0")
            return value

        @property
        def location(self) -> tuple[float, float]:
            """Mean and sd of the logit of the first hazard."""
            return _logit_normal(self.hazard)

        @property
        def closings(self) -> tuple[float, float]:
            """Mean and sd of the logit of the first hazard of being closed."""
            return _logit_normal(self.closing)

        @property
        def looked_at(self) -> tuple[float, float]:
            """Mean and sd of the logit of the chance that a record is looked at anew in a period."""
            return _logit_normal(self.revised)

        @property
        def beyond(self) -> tuple[float, float]:
            """Mean and sd of the logit of what a period after the horizon holds per one of the period before."""
            return _logit_normal(self.tail)

        @property
        def published(self) -> np.ndarray:
            """Shares of events that are seen after 0, 1, … periods."""
            return np.array(self.publication) / sum(self.publication)

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return (
            "The cohort is still developing: what had come by a date is a part of what will come within the horizon, "
            "by hazards that depend on the lag."
        )

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Is it a count of outcomes, which can depend on when they came?"""
        return statement.stage != panel.funnel.stages[0] and statement.share_of is None

    def dated(self, settings: Any) -> bool:
        """With a horizon, counts of one cohort at several dates are increments."""
        return bool(settings.horizon > 0)

    def aside(self, panel: Panel, ranges: Mapping[str, tuple[float, float]], settings: Any) -> frozenset[str]:
        """Counts of cohorts younger than the horizon, earlier counts of older ones, by period, and of closed units."""
        return Vintages(panel, ranges, settings.horizon, len(settings.publication)).aside

    def groups(
        self, panel: Panel, analysis: Analysis, ranges: Mapping[str, tuple[float, float]], settings: Any
    ) -> tuple[list[Group], list[Decision]]:
        """One group for the counts of the same cells at all their dates, or in all their periods."""
        vintages = Vintages(panel, ranges, settings.horizon, len(settings.publication))
        return vintages.groups(analysis, settings.revisions)

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Are its totals counted within certain lags?"""
        return group.lags is not None

    def unknowns(self, panel: Panel, analysis: Analysis) -> tuple[Unknown, ...]:
        """The hazards of each step by lag, and their departures by offense, jurisdiction and cohort."""
        horizon = max((group.lags.horizon for group in analysis.lagged if group.lags is not None), default=0)
        if not horizon:
            return ()
        steps = len(panel.funnel.steps)
        axes = (
            ("offense", panel.axes.offense),
            ("jurisdiction", panel.axes.jurisdiction),
            ("drift", panel.axes.period),
        )
        closed = any(group.lags.closed for group in analysis.lagged if group.lags is not None)
        out = []
        for kind, lags in (("lag", horizon), *((("close", horizon + 1),) if closed else ())):
            departures = (
                Unknown(f"{kind}_{name}", (steps, len(axis))) for name, axis in axes if len(axis) > 1
            )
            out += [Unknown(f"{kind}_hazard", (steps, lags)), *departures]
        if any(group.lags.revised for group in analysis.lagged if group.lags is not None):
            out.append(Unknown(NAME, (steps,)))
        return tuple(out)

    def bind(self, batch: Batch, groups: Sequence[Group], panel: Panel, analysis: Analysis) -> Batch:
        """Lags of each total, and where each cell stands on the axes."""
        shape, depth = batch.mask.shape, batch.depth
        first = np.zeros((*shape, depth), dtype=np.int64)
        last, entered = first.copy(), np.zeros((*shape, 2), dtype=np.int64)
        start, place = np.zeros(shape, dtype=np.int64), np.zeros((3, *shape), dtype=np.int64)
        later = np.tile(np.array([EVER, 0, 0], dtype=np.int64), (*shape, 1))
        closed = np.array([[d < (g.lags.closed if g.lags else 0) for d in range(depth)] for g in groups])
        for row, group in enumerate(groups):
            lags, size = group.lags, len(group.cells)
            assert lags is not None
            index = np.minimum(np.arange(shape[1]), size - 1)
            first[row], last[row], entered[row] = lags.first[index], lags.last[index], lags.entered[index]
            start[row] = group.start[index]
            later[row] = later[row] if lags.later is None else lags.later[index]
            place[:, row] = np.array(np.unravel_index(group.cells[index], panel.axes.shape))
        return batch.with_data(
            {
                "lag_first": first,
                "lag_last": last,
                "lag_entered": entered,
                "lag_closed": closed,
                "lag_later": later,
                "lag_revised": np.array([g.lags is not None and g.lags.later is not None for g in groups]),
                "lag_start": start,
                "lag_stage": np.array([group.stages[0] for group in groups]),
                "lag_offense": place[0],
                "lag_jurisdiction": place[1],
                "lag_drift": place[2],
                "lag_sizes": np.tile([len(panel.funnel.steps), len(panel.axes.period)], (len(groups), 1)),
            }
        )

    def recount(
        self,
        rng: np.random.Generator,
        panel: Panel,
        counts: Floats,
        rates: Floats,
        settings: Any,
        unknown: Mapping[str, Floats],
    ) -> Mapping[str, float]:
        """What of the complete counts had come by the date of each statement."""
        if not settings.horizon or "lag_hazard" not in unknown:
            return {}
        steps, cells = len(panel.funnel.steps), counts.shape[1]
        where = np.array(np.unravel_index(np.arange(cells), panel.axes.shape))[:, None]
        place = dict(zip(("lag_offense", "lag_jurisdiction", "lag_drift"), where, strict=True))
        place["lag_sizes"] = np.array([[steps, len(panel.axes.period)]])
        laws, closing = (
            None if found is None else [law[0, 0] for law in found]
            for found in _laws(settings, unknown, place, steps, ARRAY)
        )
        assert laws is not None
        came, closed = arrivals(rng, counts, laws, settings.published, closing)
        stands = records_of(rng, counts, rates, laws, settings, unknown) if NAME in unknown else None
        everything = {s.id: (0.0, 0.0) for s in panel.statements}
        out = {}
        vintages = Vintages(panel, everything, settings.horizon, len(settings.publication))
        for statement, at, first, last in vintages.windows:
            table = closed if statement.closed else came
            if not table:
                continue
            there = table[panel.funnel.index(statement.stage)][at]
            if stands is not None and statement.clock == "cohort" and not statement.closed:
                by_age = stands[panel.funnel.index(statement.stage)]
                stood = by_age[at, np.minimum(last, by_age.shape[1] - 1)]
                if np.isfinite(stood).all():
                    out[statement.id] = float(np.where(last >= 0, stood, 0.0).sum())
                continue
            lags = np.arange(there.shape[1])
            inside = (lags >= first[:, None]) & (lags <= last[:, None])
            if np.isfinite(there).all():
                out[statement.id] = float(np.where(inside, there, 0.0).sum())
        return out

    def chances(
        self, log_pi: Any, eta: Any, batch: Batch, settings: Any, unknown: Mapping[str, Any], ops: Any
    ) -> Any:
        """Log chances to be seen in none of the totals, in the widest alone, …, in all of them."""
        log_rate = ops.where(batch.segment >= 0, -ops.softplus(-eta), 0.0).sum(axis=-1)
        laws, closing = _laws(settings, unknown, batch.data, int(batch.data["lag_sizes"][0, 0]), ops)
        law = (batch, settings.horizon, settings.published, ops)
        rate = ops.exp(log_rate)[..., None]
        within = seen_within(laws, *law)
        reach = rate * within
        totals = batch.data["lag_closed"]
        if totals.any():
            never = batch.data["lag_start"] == batch.data["lag_stage"][:, None]
            stays = ops.where(never[..., None], 1.0, 1 - rate)
            reach = ops.where(totals[:, None], 1 - stays * seen_within(laws, *law, closing), reach)
        revised = batch.data["lag_revised"]
        if revised.any():
            age, counted, periods = np.moveaxis(batch.data["lag_later"], -1, 0)
            step = np.broadcast_to(batch.data["lag_stage"][:, None] - 1, age.shape)
            kept = unseen(settings, unknown, step, periods, ops)[..., None]
            later = seen_within(laws, *law, age=np.repeat(age[..., None], totals.shape[1], axis=-1))
            before = counted_before(counted[..., None], rate, within, later, kept)
            reach = ops.where(revised[:, None, None], before, reach)
        return category_chances(reach, ops)

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """Categories of lags in place of stages."""
        log_pi = self.chances(None, rates.eta, batch, settings, rates.unknown, TENSOR)
        return replace(parts, log_pi=log_pi, eta=None)


def _logit_normal(ends: tuple[float, float]) -> tuple[float, float]:
    """Mean and sd of the logit of a share with this central 90 %."""
    low, high = (np.log(x) - np.log1p(-x) for x in ends)
    return float((low + high) / 2), float((high - low) / (2 * _NORMAL_90))


def _laws(
    settings: Any, unknown: Mapping[str, Any], place: Mapping[str, np.ndarray], steps: int, ops: Any
) -> tuple[list[Any], list[Any] | None]:
    """Of each step the law of its delay, and that of the closing of units that do not pass it, where that is known."""
    at = range(steps)
    laws = [delay_law(hazards(settings, unknown, place, step, ops), ops) for step in at]
    if "close_hazard" not in unknown:
        return laws, None
    return laws, [closing_law(hazards(settings, unknown, place, step, ops, "close"), ops) for step in at]


def hazards(
    settings: Any,
    unknown: Mapping[str, Any],
    place: Mapping[str, np.ndarray],
    step: int,
    ops: Any,
    of: Literal["lag", "close"] = "lag",
) -> Any:
    """Logits of the hazards of one step at lags 0 … D - 1, (…, S, m, D); of being closed at lags 0 … D.

    Parameters
    ----------
    settings : Settings
    unknown : mapping of name to values
    place : mapping of name to (S, …) int
        Leaf positions of the cells on the axes, ``lag_offense``, ``lag_jurisdiction`` and ``lag_drift``, each (S, m);
        numbers of steps and periods, ``lag_sizes`` (S, 2).
    step : int
    ops : Ops
    of : {"lag", "close"}
        Of passing, for those who do, or of being closed, for those who do not.
    """
    centre, sd = settings.location if of == "lag" else settings.closings
    z = unknown[f"{of}_hazard"][..., step, :]
    scale = np.full(settings.horizon + (of == "close"), settings.walk)
    scale[:1] = sd
    level = (centre + ops.cumsum(scale * z))[..., None, None, :]
    moved: Any = np.zeros((*place["lag_offense"].shape, 1))
    for name, spread in (("offense", settings.offense), ("jurisdiction", settings.jurisdiction)):
        if f"{of}_{name}" in unknown:
            one = spread * unknown[f"{of}_{name}"][..., step, :]
            moved = moved + one[..., place[f"lag_{name}"]][..., None]
    if f"{of}_drift" in unknown:
        walk = unknown[f"{of}_drift"][..., step, :] @ _walk(int(place["lag_sizes"][0, 1]))
        moved = moved + (settings.drift * walk)[..., place["lag_drift"]][..., None]
    return level + moved


def _walk(periods: int) -> np.ndarray:
    """(T, T): from independent steps to a random walk over periods that is 0 in the mean."""
    sums = np.triu(np.ones((periods, periods)))
    sums[0] = 0.0
    return sums - sums.mean(axis=1, keepdims=True)
