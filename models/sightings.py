"""Counts that fix the rate of one path closely: sightings of sums of effects.

Given the scales, the effects of a place are normal, and a count y of n says that the sum of those along its path is
log(y / n) less what else stands on the path, give or take the count's relative error. What the cells of a split total
hold is such a count too, give or take their cell effects (see ``anchors``). What all these counts together say of the
effects is a normal law that can be written down; ``conditioned`` samples the effects as departures from it. Being exact
about the density, it may be rough about the sighting: only the sampler's pace depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import ROUGH, Anchors, Edge, Place, cell_block, path_to, single_path
from .blueprint import Blueprint
from .field_op import make_design
from .layout import Layout
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 3.0  # smaller counts say little more than the prior
_SHARP = 1e-3  # error of what a cell of a split total holds, its cell effect aside: it keeps the law's factor from zero
MOST = 200  # the work grows with the cube of their number; large tables have other means, see ``centring``


@dataclass(frozen=True)
class Sightings:
    """What counts say of sums of effects, G of them.

    Parameters
    ----------
    edges : tuple of Edge
        The stretches of paths that are sighted: those of single counts, then the cells of the split totals, one for
        each anchor, in their order. Single counts whose path passes anchored cell effects stand last among theirs.
    target : (G,) float
        Log of the count per unit of its denominator; for the cells of split totals, of the denominator's inverse
        alone, or zero where they have an earlier stage.
    error : (G,) float
        Its relative error, but for the variation of the count itself.
    varies : (G,) float
        Variance of its log for a variance factor of 1: one over the count.
    at : (C,) int
        Positions in the raveled (S, F) coefficients that sightings are sums of.
    matrix : (G, C) float
        The sums, in units of the effects' standard deviations.
    scale : (K, 2) int
        Step and block of each standard deviation that occurs.
    of : (C,) int
        Which of them each coefficient has.
    gram : (K, G, G) float
        Covariance of the sums for a unit of each of them, anchored cell effects included.
    inner : (K, M, M) float
        The same of the anchored cell effects alone, of the last M sightings; those before pass none.
    """

    edges: tuple[Edge, ...]
    target: Floats
    error: Floats
    varies: Floats
    at: Ints
    matrix: Floats
    scale: Ints
    of: Ints
    gram: Floats
    inner: Floats

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class _Found:
    """One sighting: group, cell and stage; steps and positions of the path; target, error and variation."""

    edge: Edge
    path: list[tuple[int, int]]
    target: float
    error: float
    varies: float = 0.0


def common_blocks(blueprint: Blueprint) -> tuple[Block, ...]:
    """Blocks whose effects stand outside the sum over the cells of an unsplit total."""
    if blueprint.mixture is None:
        return blueprint.blocks
    return tuple(block for block in blueprint.blocks if block.cellwise or "offense" not in block.axes)


def make_sightings(blueprint: Blueprint, anchors: Anchors) -> Sightings | None:
    """The sightings of a blueprint; None where there are none, or too many, or steps that are no ratios."""
    blocks, layout = common_blocks(blueprint), blueprint.layout
    if not blocks or not all(blueprint.ratio_steps):
        return None
    found: list[_Found] = []
    for number, batch in enumerate(blueprint.batches):
        for row in range(len(batch.groups)):
            low, high = float(batch.low[row, 0]), float(batch.high[row, 0])
            if low >= LEAST and (path := single_path(blueprint, batch, row)):
                count = (low + high) / 2
                error = (high - low) / (ROUGH * count)
                edge = Edge(number, row, 0, 0)
                found.append(_Found(edge, path, np.log(count / batch.n[row, 0]), error, 1 / count))
    for edge, log_n in zip(anchors.cells, anchors.log_n, strict=True):
        found.append(
            _Found(edge, path_to(blueprint, blueprint.batches[edge.batch], edge), -float(log_n), _SHARP)
        )
    if not 0 < len(found) <= MOST:
        return None
    cell = cell_block(blueprint)
    held = {key: g for g, key in enumerate(zip(anchors.step.tolist(), anchors.unit.tolist(), strict=True))}
    counts, cells = found[: len(found) - len(anchors)], found[len(found) - len(anchors) :]
    found = sorted(counts, key=lambda one: any(_place(layout, at) in held for at in one.path)) + cells
    sums, passed = _sums(blueprint, blocks, held, [one.path for one in found])
    at = np.flatnonzero((sums != 0).any(axis=0))
    design = make_design(blueprint.blocks, layout)
    free = len(design.block)
    pairs = [(a // free, design.block[a % free]) for a in at]
    if cell is not None:
        pairs += [(step, blueprint.blocks.index(cell)) for step in anchors.step]
    scale, of = np.unique(np.array(pairs, dtype=np.int64), axis=0, return_inverse=True)
    of, whose = of.ravel()[: len(at)], of.ravel()[len(at) :]
    matrix = sums[:, at]
    inner = [passed[:, whose == k] @ passed[:, whose == k].T for k in range(len(scale))]
    apart = int(np.argmax(passed.any(axis=1))) if passed.any() else len(found)
    return Sightings(
        edges=tuple(one.edge for one in found),
        target=np.array([one.target for one in found]),
        error=np.array([one.error for one in found]),
        varies=np.array([one.varies for one in found]),
        at=at,
        matrix=matrix,
        scale=scale,
        of=of,
        gram=np.stack([matrix[:, of == k] @ matrix[:, of == k].T + inner[k] for k in range(len(scale))]),
        inner=np.stack(inner)[:, apart:, apart:].copy(),
    )


def _place(layout: Layout, at: tuple[int, int]) -> Place:
    """Step and unit of a step and a position."""
    return at[0], int(layout.unit[at[1]])


def _sums(
    blueprint: Blueprint,
    blocks: tuple[Block, ...],
    held: Mapping[Place, int],
    paths: list[list[tuple[int, int]]],
) -> tuple[Floats, Floats]:
    """The sums over all coefficients (G, S × F), and over the anchored cell effects (G, G2)."""
    layout = blueprint.layout
    design = make_design(blueprint.blocks, layout)
    free = len(design.block)
    used = [number for number, block in enumerate(blueprint.blocks) if block in blocks]
    cell = cell_block(blueprint)
    out, passed = np.zeros((len(paths), layout.steps, free)), np.zeros((len(paths), len(held)))
    for g, path in enumerate(paths):
        for step, position in path:
            for number in used:
                effect = held.get(_place(layout, (step, position)))
                if blueprint.blocks[number] is cell and effect is not None:
                    passed[g, effect] += 1.0
                    continue
                out[g, step] += design.row(position, number)
    return out.reshape(len(paths), -1), passed
