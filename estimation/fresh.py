"""Rates of an exchangeable new unit: some effects drawn afresh from their population, the others as they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from typing import TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from ..data.funnel import Step
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws, draw_block, level_of, spread
from ..models.layout import Layout
from ..models.paths import ARRAY
from ..models.rates import put_totals, rates_of_odds
from ..models.terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T")
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
        self._levels = {block.name: _levels(block, layout) for block in blueprint.blocks}

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
        for part, (found,) in self.seen(rng, [axes], steps, lambda _, *rates: rates):
            yield part, *found

    def seen(
        self,
        rng: np.random.Generator,
        wanted: Sequence[tuple[str, ...]],
        steps: Sequence[Step],
        look: Callable[..., T],
    ) -> Iterator[tuple[slice, list[T]]]:
        """What is made of the rates of several kinds of new units, a few draws in turn.

        Parameters
        ----------
        rng : Generator
        wanted : sequence of tuple of str
            For each kind of unit the axes along which it is new. An effect that is drawn afresh for several of them is
            drawn once: they are never compared with one another.
        steps : sequence of Step
        look : callable
            From the number of the kind and rates of each step (A, r); called by several threads.

        Yields
        ------
        part : slice
            Which draws.
        found : list
            What ``look`` gave for each kind.
        """
        streams = rng.spawn(-(-self.size // _TOGETHER))
        cores = os.cpu_count() or 1
        made = partial(self._look, streams=streams, wanted=wanted, steps=steps, look=look)
        with ThreadPoolExecutor(cores) as threads:
            # As many parts as cores at a time, lest all of them wait in memory.
            for start in range(0, len(self._parts), cores):
                parts = self._parts[start : start + cores]
                yield from zip(parts, threads.map(made, parts), strict=True)

    def _look(
        self,
        part: slice,
        streams: Sequence[np.random.Generator],
        wanted: Sequence[tuple[str, ...]],
        steps: Sequence[Step],
        look: Callable[..., T],
    ) -> list[T]:
        blueprint, total = self._blueprint, self._draws.concentration
        last = max(step.target for step in steps) if total is None else blueprint.layout.steps
        again = cache(lambda block: self._again(block, streams, part, last))
        found = []
        for number, axes in enumerate(wanted):
            new = [block.name for block in blueprint.blocks if set(block.axes) & set(axes)]
            rates = self._rates({name: again(name) for name in new}, part, last)
            if total is not None:
                rates = _scattered(rates, total[part], streams[part.start // _TOGETHER :])
            found.append(look(number, *(_passed(rates, step) for step in steps)))
        return found

    def _rates(self, fresh: Mapping[str, Floats], part: slice, steps: int) -> Floats:
        """Rates of the first steps, (steps, A, r), with the exponentiated effects of some blocks drawn afresh."""
        blueprint, layout = self._blueprint, self._blueprint.layout
        intercept = np.exp(self._draws.intercept[part].T)
        rates = np.empty((steps, layout.size, intercept.shape[1]))
        rates[:] = intercept[:steps, None]
        for block in blueprint.blocks:
            odds = fresh.get(block.name)
            if odds is None and block.slope is not None:
                odds = _odds(spread(self._draws.values[block.name][part], block, layout))
            elif odds is None:
                odds = self._kept(block.name)[..., part]
            level = self._levels[block.name]
            for step in range(steps):
                if level is None:
                    rates[step] *= odds[step]
                else:
                    _multiply(rates[step], np.ascontiguousarray(odds[step]), level)
        for step, ratio in enumerate(blueprint.ratio_steps[:steps]):
            for one in blueprint.additions:
                moved = np.flatnonzero(one.scale[step, layout.cells])
                scale = one.scale[step, layout.cells[moved], None]
                rates[step, moved] *= np.exp(scale * self._draws.unknown[one.name][part, step])
            rates[step] = rates_of_odds(rates[step], ratio)
        if blueprint.mixture is not None and self._share is not None:
            put_totals(rates, self._share[..., part], blueprint.mixture)
        return rates

    def _again(self, name: str, streams: Sequence[np.random.Generator], part: slice, steps: int) -> Floats:
        """Exponentiated effects of new units, (steps, L, r): a few draws have a stream of their own."""
        block = next(block for block in self._blueprint.blocks if block.name == name)
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


def _passed(rates: Floats, step: Step) -> Floats:
    """Rates from a step's source to its target, (A, r)."""
    return (
        rates[step.source]
        if step.target == step.source + 1
        else rates[step.source : step.target].prod(axis=0)
    )


@numba.njit(nogil=True, error_model="numpy", cache=True)
def _multiply(rates: Floats, odds: Floats, level: Ints) -> None:
    """Multiply the rates (A, r) by what stands at each cell's level (L, r); gathered first they would be copied."""
    for cell in range(len(rates)):
        own = odds[level[cell]]
        for r in range(rates.shape[1]):
            rates[cell, r] *= own[r]


def _scattered(rates: Floats, total: Floats, streams: Sequence[np.random.Generator]) -> Floats:
    """Cells' own rates (S, A, r) around these, beta with r totals: a few draws have a stream of their own."""
    out = np.empty_like(rates)
    for rng, start in zip(streams, range(0, len(total), _TOGETHER), strict=False):
        few = slice(start, start + _TOGETHER)
        out[..., few] = rng.beta(total[few] * rates[..., few], total[few] * (1 - rates[..., few]))
    return out


def _odds(values: Floats) -> Floats:
    """Exponentiated effects (R, S, levels…) as (S, L, R)."""
    flat = values.reshape(*values.shape[:2], -1)
    return np.exp(np.ascontiguousarray(flat.transpose(1, 2, 0)))


def _levels(block: Block, layout: Layout) -> Ints | None:
    """Which level of a block each active cell reads, (A,); None where each reads its own."""
    own = block.slope is not None or (block.cellwise and layout.units == layout.size)
    return None if own else level_of(block, layout)
