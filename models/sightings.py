"""Counts that fix the rate of one path closely: sightings of sums of effects.

Given the scales, the effects of a place are normal, and a count y of n says that the sum of those along its path is
log(y / n) less what else stands on the path, give or take the count's relative error. Of a total, and of a bound, the
path of the largest cell is sighted, give or take its anchored effect (see ``anchors``). What all these counts
together say of the effects is a normal law that can be written down; ``conditioned`` samples the effects as
departures from it. Being exact about the density, it may be rough about the sighting: only the sampler's pace depends
on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import ROUGH, Anchors, Edge, cell_block, path_to, single_path
from .blueprint import Blueprint
from .field_op import make_design
from .terms import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 3.0  # smaller counts say little more than the prior
MOST = 200  # the work grows with the cube of their number; large tables have other means, see ``centring``


@dataclass(frozen=True)
class Sightings:
    """What counts say of sums of effects, G of them.

    Parameters
    ----------
    rows : mapping of batch number to (k,) int
        Groups of the batch, in order of the sightings.
    column, depth : (G,) int
        Cell of the group, and stage spoken of.
    target : (G,) float
        Log of the count per unit of its denominator; of a total that is anchored, of the latter alone.
    error : (G,) float
        Its relative error, but for the variation of the count itself.
    varies : (G,) float
        Variance of its log for a variance factor of 1: one over the count.
    last : (G,) int
        Step whose variance factor it has.
    total : (G, E) float
        Which of the anchored totals each speaks of.
    anchored : (G, S) float
        Cell effects along the path that anchors hold: their variance is a part of the error.
    at : (C,) int
        Positions in the raveled (S, F) coefficients that sightings are sums of.
    matrix : (G, C) float
        The sums, in units of the effects' standard deviations.
    scale : (K, 2) int
        Step and block of each standard deviation that occurs.
    of : (C,) int
        Which of them each coefficient has.
    gram : (K, G, G) float
        Covariance of the sums for a unit of each of them.
    """

    rows: Mapping[int, Ints]
    column: Ints
    depth: Ints
    target: Floats
    error: Floats
    varies: Floats
    last: Ints
    total: Floats
    anchored: Floats
    at: Ints
    matrix: Floats
    scale: Ints
    of: Ints
    gram: Floats

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
    total: int = -1


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
    for number, edge in enumerate(anchors.edges):
        batch = blueprint.batches[edge.batch]
        denominator, error = np.log(batch.n[edge.row].sum()), float(anchors.scale[number])
        found.append(_Found(edge, path_to(blueprint, batch, edge), -denominator, error, total=number))
    if not 0 < len(found) <= MOST:
        return None
    found.sort(key=lambda one: one.edge.batch)  # stable: by batch
    rows: dict[int, list[int]] = {}
    for one in found:
        rows.setdefault(one.edge.batch, []).append(one.edge.row)
    sums, anchored = _sums(blueprint, blocks, anchors, [one.path for one in found])
    at = np.flatnonzero((sums != 0).any(axis=0))
    design = make_design(blueprint.blocks, layout)
    free = len(design.block)
    pairs = np.stack([at // free, design.block[at % free]], axis=1)
    scale, of = np.unique(pairs, axis=0, return_inverse=True)
    of = of.ravel()
    matrix = sums[:, at]
    return Sightings(
        rows={number: np.array(rows[number], dtype=np.int64) for number in sorted(rows)},
        column=np.array([one.edge.column for one in found], dtype=np.int64),
        depth=np.array([one.edge.depth for one in found], dtype=np.int64),
        target=np.array([one.target for one in found]),
        error=np.array([one.error for one in found]),
        varies=np.array([one.varies for one in found]),
        last=np.array([one.path[-1][0] for one in found], dtype=np.int64),
        total=np.array([[float(one.total == e) for e in range(len(anchors.edges))] for one in found]),
        anchored=anchored,
        at=at,
        matrix=matrix,
        scale=scale,
        of=of,
        gram=np.stack([matrix[:, of == k] @ matrix[:, of == k].T for k in range(len(scale))]),
    )


def _sums(
    blueprint: Blueprint, blocks: tuple[Block, ...], anchors: Anchors, paths: list[list[tuple[int, int]]]
) -> tuple[Floats, Floats]:
    """The sums over all coefficients (G, S × F), and the anchored cell effects left out of them (G, S)."""
    layout = blueprint.layout
    design = make_design(blueprint.blocks, layout)
    free = len(design.block)
    used = [number for number, block in enumerate(blueprint.blocks) if block in blocks]
    cell = cell_block(blueprint)
    held = set(zip(anchors.step.tolist(), anchors.unit.tolist(), strict=True))
    out, left = np.zeros((len(paths), layout.steps, free)), np.zeros((len(paths), layout.steps))
    for g, path in enumerate(paths):
        for step, position in path:
            for number in used:
                if blueprint.blocks[number] is cell and (step, int(layout.unit[position])) in held:
                    left[g, step] += 1.0
                    continue
                out[g, step] += design.matrix[[design.level[position, number]]].toarray()[0]
    return out.reshape(len(paths), -1), left
