"""Rates of an exchangeable new unit: some effects drawn afresh from their population, the others as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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
# Draws that share a stream of random numbers: in how many parts all are taken then makes no difference.
_TOGETHER = 16


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
        few = max(_AT_ONCE // (layout.steps * layout.size) // _TOGETHER, 1) * _TOGETHER
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
        self, rng: np.random.Generator, axes: tuple[str, ...], *steps: Step
    ) -> Iterator[tuple[slice, *tuple[Floats, ...]]]:
        """Rates of some steps of new units along the given axes: which draws, and their rates (A, r), in turn."""
        blueprint, draws = self._blueprint, self._draws
        fresh = frozenset(block.name for block in blueprint.blocks if set(block.axes) & set(axes))
        last = max(step.target for step in steps) if draws.concentration is None else blueprint.layout.steps
        streams = rng.spawn(-(-self.size // _TOGETHER))
        cores = os.cpu_count() or 1
        with ThreadPoolExecutor(cores) as threads:
            # As many parts as cores at a time, lest all of them wait in memory.
            for start in range(0, len(self._parts), cores):
                parts = self._parts[start : start + cores]
                made = threads.map(lambda part: self._rates(fresh, streams, part, last), parts)
                for part, rates in zip(parts, made, strict=True):
                    if draws.concentration is not None:
                        mean, total = rates.transpose(2, 0, 1), draws.concentration[part, None, None]
                        rates = rng.beta(total * mean, total * (1 - mean)).transpose(1, 2, 0)
                    yield part, *(rates[step.source : step.target].prod(axis=0) for step in steps)

    def _rates(
        self, fresh: frozenset[str], streams: Sequence[np.random.Generator], part: slice, steps: int
    ) -> Floats:
        """Rates of the first steps, (steps, A, r)."""
        blueprint, layout = self._blueprint, self._blueprint.layout
        intercept = np.exp(self._draws.intercept[part].T)
        rates = np.empty((steps, layout.size, intercept.shape[1]))
        rates[:] = intercept[:steps, None]
        for block in blueprint.blocks:
            again = block.name in fresh
            if again:
                odds = self._again(block, streams, part, steps)
            elif block.slope is not None:
                odds = _odds(spread(self._draws.values[block.name][part], block, layout))
            else:
                odds = self._kept(block.name)[..., part]
            level = _levels(block, layout)
            for step in range(steps):
                rates[step] *= odds[step] if level is None else odds[step][level]
        for step, ratio in enumerate(blueprint.ratio_steps[:steps]):
            for one in blueprint.additions:
                moved = np.flatnonzero(one.scale[step, layout.cells])
                scale = one.scale[step, layout.cells[moved], None]
                rates[step, moved] *= np.exp(scale * self._draws.unknown[one.name][part, step])
            rates[step] = rates_of_odds(rates[step], ratio)
        if blueprint.mixture is not None and self._share is not None:
            put_totals(rates, self._share[..., part], blueprint.mixture)
        return rates

    def _again(self, block: Block, streams: Sequence[np.random.Generator], part: slice, steps: int) -> Floats:
        """Exponentiated effects of new units, (steps, L, r): a few draws have a stream of their own."""
        layout, out = self._blueprint.layout, []
        for start in range(part.start, min(part.stop, self.size), _TOGETHER):
            sd = self._draws.sd[block.name][start : min(start + _TOGETHER, self.size), :steps]
            rng = streams[start // _TOGETHER]
            if block.cellwise:
                effect = rng.standard_normal((steps, layout.units, len(sd)), dtype=np.float32)
                out.append(np.exp(np.multiply(effect, sd.T[:, None], out=effect), out=effect))
            else:
                values = draw_block(rng, block, sd, layout, fresh=True)
                out.append(_odds(values if block.slope is None else spread(values, block, layout)))
        return out[0] if len(out) == 1 else np.concatenate(out, axis=2)


def _odds(values: Floats) -> Floats:
    """Exponentiated effects (R, S, levels…) as (S, L, R)."""
    flat = values.reshape(*values.shape[:2], -1)
    return np.exp(np.ascontiguousarray(flat.transpose(1, 2, 0)))


def _levels(block: Block, layout: Layout) -> Ints | None:
    """Which level of a block each active cell reads, (A,); None where each reads its own."""
    if block.slope is not None:
        return None
    if block.cellwise:
        return None if layout.units == layout.size else layout.unit
    sizes = [basis.levels for basis in block.bases]
    return np.ravel_multi_index([layout.coordinates[AXES.index(axis)] for axis in block.axes], sizes)
