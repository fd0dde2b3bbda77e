"""Rates of an exchangeable new unit: some effects drawn afresh from their population, the others as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws, draw_block, spread
from ..models.layout import Layout
from ..models.paths import ARRAY
from ..models.rates import put_totals, rates_of_odds
from ..models.terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Numbers worked on at a time: what fits into a processor's cache is several times faster than what does not.
_AT_ONCE = 1_000_000


class FreshRates:
    """Draws of cell rates in which every effect that tells units apart is that of a new unit.

    Effects are exponentiated at their levels, of which there are fewer than cells, and multiplied at the cells; arrays
    have the draws last, so that cells are gathered and rows are summed as whole vectors.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws.

    Attributes
    ----------
    size : int
        Number of draws, R.
    """

    def __init__(self, blueprint: Blueprint, draws: FieldDraws) -> None:
        self._blueprint, self._draws = blueprint, draws
        layout = blueprint.layout
        self.size = len(draws.intercept)
        few = max(_AT_ONCE // (layout.steps * layout.size), 16)
        self._parts = [slice(start, start + few) for start in range(0, self.size, few)]
        self._kept = cache(lambda name: _odds(draws.values[name]))

    @cached_property
    def _share(self) -> Floats | None:
        """Shares of the cells of unsplit totals, (K, P, R)."""
        mixture = self._blueprint.mixture
        if mixture is None:
            return None
        share = self._blueprint.log_shares(mixture, self._draws.unknown, ARRAY)
        return np.exp(np.ascontiguousarray(share.transpose(2, 1, 0)))

    def paths(
        self, rng: np.random.Generator, axes: tuple[str, ...], step: Step
    ) -> Iterator[tuple[slice, Floats]]:
        """Rates of a step of new units along the given axes: which draws, and their rates (A, r), in turn."""
        blueprint, draws = self._blueprint, self._draws
        fresh = {
            block.name: draw_block(rng, block, draws.sd[block.name], blueprint.layout, fresh=True)
            for block in blueprint.blocks
            if set(block.axes) & set(axes)
        }
        steps = step.target if draws.concentration is None else blueprint.layout.steps
        cores = os.cpu_count() or 1
        with ThreadPoolExecutor(cores) as threads:
            # As many parts as cores at a time, lest all of them wait in memory.
            for start in range(0, len(self._parts), cores):
                parts = self._parts[start : start + cores]
                made = threads.map(lambda part: self._rates(fresh, part, steps), parts)
                for part, rates in zip(parts, made, strict=True):
                    if draws.concentration is not None:
                        mean, total = rates.transpose(2, 0, 1), draws.concentration[part, None, None]
                        rates = rng.beta(total * mean, total * (1 - mean)).transpose(1, 2, 0)
                    yield part, rates[step.source : step.target].prod(axis=0)

    def _rates(self, fresh: Mapping[str, Floats], part: slice, steps: int) -> Floats:
        """Rates of the first steps, (steps, A, r)."""
        blueprint, layout = self._blueprint, self._blueprint.layout
        effects = []
        for block in blueprint.blocks:
            again = block.name in fresh
            if block.slope is not None:
                values = fresh[block.name][part, :steps] if again else self._draws.values[block.name][part]
                effects.append((_odds(spread(values, block, layout)), np.arange(layout.size)))
                continue
            odds = _odds(fresh[block.name][part, :steps]) if again else self._kept(block.name)[..., part]
            effects.append((odds, _levels(block, layout)))
        intercept = np.exp(self._draws.intercept[part].T)
        rates = np.empty((steps, layout.size, intercept.shape[1]))
        for step, ratio in enumerate(blueprint.ratio_steps[:steps]):
            rates[step] = intercept[step]
            for odds, level in effects:
                rates[step] *= odds[step][level]
            for one in blueprint.additions:
                moved = np.flatnonzero(one.scale[step, layout.cells])
                scale = one.scale[step, layout.cells[moved], None]
                rates[step, moved] *= np.exp(scale * self._draws.unknown[one.name][part, step])
            rates[step] = rates_of_odds(rates[step], ratio)
        if blueprint.mixture is not None and self._share is not None:
            put_totals(rates, self._share[..., part], blueprint.mixture)
        return rates


def _odds(values: Floats) -> Floats:
    """Exponentiated effects (R, S, levels…) as (S, L, R)."""
    flat = values.reshape(*values.shape[:2], -1)
    return np.exp(np.ascontiguousarray(flat.transpose(1, 2, 0)))


def _levels(block: Block, layout: Layout) -> Ints:
    """Which level of a block each active cell reads, (A,)."""
    if block.cellwise:
        return layout.unit
    sizes = [basis.levels for basis in block.bases]
    return np.ravel_multi_index([layout.coordinates[AXES.index(axis)] for axis in block.axes], sizes)
