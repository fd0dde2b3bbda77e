"""Ever, as an extrapolation: the rate within the horizon, and after it a tail that no count speaks of.

Of those who pass a step within D periods a share f_D passes in the last of them. Beyond it so many pass in each period
per one in the period before, γ, so that the rate ever is p (1 + f_D γ / (1 - γ)), at most 1. The counts inform p and
f_D; γ comes from the plan alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.funnel import Step
from ..models.blueprint import Blueprint
from ..models.delays import delay_law
from ..models.kinds.immature import Immature, hazards
from ..models.paths import ARRAY
from .blocks import Collector, block_of
from .contraction import Reference, cell_rates, contraction
from .evidence import Behind
from .labels import label
from .rows import CellDraws, Floats, Reals, Rows, evaluate, spread
from .thinning import parts

EVER = "ever"
_PRIOR_DRAWS = 400


class Ever:
    """Draws of what each cell comes to, posterior and prior.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    unknown : mapping of str to (R, …)
        What the kinds do not know, of the same draws.
    rates : (R, S, A)
        Within the horizon.
    counts : (R, S + 1, A)
    """

    def __init__(
        self,
        rng: np.random.Generator,
        blueprint: Blueprint,
        unknown: Mapping[str, Floats],
        rates: Reals,
        counts: Floats,
    ) -> None:
        self._cells = CellDraws(after_horizon(rng, blueprint, unknown, rates), counts)
        prior = blueprint.prior_draws(rng, _PRIOR_DRAWS)
        within = cell_rates(rng, blueprint, blueprint.predictor(prior), prior, observed=False)
        self._prior = CellDraws.of_rates(after_horizon(rng, blueprint, prior.unknown, within))

    def rows(
        self,
        collector: Collector,
        rows: Rows,
        step: Step,
        reference: Reference,
        behind: Behind,
        limits: Floats,
    ) -> None:
        """Rows of aggregates: never more than model-assisted, since the tail is the plan's."""
        keep = np.flatnonzero(~rows.leaf & ~behind.period_clock)
        if not len(keep):
            return
        member, told = rows.member[keep], behind.take(keep)
        values = evaluate(member, self._cells.step(step))
        before = reference.linked(self._prior, member, step).var(axis=1)
        against = contraction(spread(values.superpopulation, False), before)
        against[~told.touched] = 0.0
        none, all_ = np.full(len(keep), np.nan), np.ones(len(keep), dtype=bool)
        labels = label(against, none, all_, told.unread, told.few)
        open_ = np.column_stack([limits[keep, 0], np.ones(len(keep))])
        size = np.median(values.denominator, axis=1)
        block = block_of(
            EVER, step, rows.names[keep], "superpopulation", values.superpopulation, open_, against, against, labels,
            told, size,
        )  # fmt: skip
        collector.keep(block, values.superpopulation, all_)


def extrapolates(blueprint: Blueprint) -> bool:
    """Are there cohorts that are still developing, on steps that cannot pass more than once?"""
    return bool(blueprint.analysis.lagged) and not any(blueprint.ratio_steps)


def after_horizon(
    rng: np.random.Generator, blueprint: Blueprint, unknown: Mapping[str, Floats], rates: Reals
) -> Reals:
    """Rates ever from those within the horizon, (R, S, A); the laws of delay of a few draws at a time."""
    settings: Any = blueprint.kind_settings[Immature.name]
    layout = blueprint.layout
    names = ("lag_offense", "lag_jurisdiction", "lag_drift")
    place = {name: at[None] for name, at in zip(names, layout.coordinates, strict=True)}
    place["lag_sizes"] = np.array([[layout.steps, layout.shape[2]]])
    out = np.empty_like(rates)
    for step in range(layout.steps):
        odds = np.exp(rng.normal(*settings.beyond, size=(len(rates), 1)))
        for part in parts(len(rates), layout.steps * layout.size):
            few = {name: values[part] for name, values in unknown.items()}
            law = delay_law(hazards(settings, few, place, step, ARRAY), ARRAY)
            out[part, step] = np.minimum(rates[part, step] * (1 + law[:, 0, :, -1] * odds[part]), 1.0)
    return out
