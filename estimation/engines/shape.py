"""Where a field of many places stands in a density's point, and what the data say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...models.centring import centred, held_by_data, information, step_rates
from ...models.compile import CompiledModel
from ...models.priors import Normal
from .grid import INTERCEPT, Grid, make_grid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Each = tuple[Floats, tuple[Floats, ...]]


@dataclass(frozen=True)
class StepShape:
    """One step's field in a density's point.

    Parameters
    ----------
    grid : Grid
        Its counts are not used.
    information : (J, C)
        Of the data about each cell's predictor, at the pooled ``rate``.
    rate : float
    ratio : bool
        Is the rate a ratio, with a log link?
    precision : float
        Of the intercept's prior.
    border : (p,) int
        Where in the point each border coefficient stands; the intercept first.
    inner : tuple of (columns, basis, at)
        For each block of inner coefficients: its columns of the grid, the orthonormal basis of its jurisdictions
        (J, free), and where its free coefficients stand, (free, columns).
    held : (p,), tuple of (free, columns)
        Information of the data about each of them.
    weight : (p,), tuple of (free, columns)
        Their centring weights.
    """

    grid: Grid
    information: Floats
    rate: float
    ratio: bool
    precision: float
    border: Ints
    inner: tuple[tuple[slice, Floats, Ints], ...]
    held: Each
    weight: Each

    def recentred(self, tau: Floats) -> StepShape:
        """Centred as these standard deviations ask for, (B,)."""
        grid, (wide, narrow) = self.grid, self.held
        weight = centred(wide, tau[np.maximum(grid.border_block, 0)])
        weight[grid.border_block == INTERCEPT] = 1.0
        own = tuple(
            centred(held, tau[grid.inner_block[columns]])
            for held, (columns, _, _) in zip(narrow, self.inner, strict=True)
        )
        return replace(self, weight=(weight, own))


@dataclass(frozen=True)
class Shape:
    """What does not change with scales and rates.

    Parameters
    ----------
    size : int
        Of the density's point.
    steps : tuple of StepShape
    """

    size: int
    steps: tuple[StepShape, ...]

    @property
    def rest(self) -> Ints:
        """Coordinates that are no field's."""
        taken = np.ones(self.size, dtype=bool)
        for step in self.steps:
            taken[step.border] = False
            for _, _, at in step.inner:
                taken[at] = False
        return np.flatnonzero(taken)

    def recentred(self, sd: Floats) -> tuple[Shape, Floats, Ints]:
        """The shape as these scales (S, B) would centre it, and how its points differ from the density's own.

        Returns
        -------
        shape : Shape
        exponent : (size,)
            A coordinate of the density's point is the shape's times its block's standard deviation to this power.
        which : (size,) int
            The block's place among all (S · B); 0 where there is none.
        """
        steps = tuple(step.recentred(tau) for step, tau in zip(self.steps, sd, strict=True))
        exponent, which = np.zeros(self.size), np.zeros(self.size, dtype=np.int64)
        for number, (old, new) in enumerate(zip(self.steps, steps, strict=True)):
            first = number * sd.shape[1]
            exponent[old.border] = old.weight[0] - new.weight[0]
            which[old.border] = first + np.maximum(old.grid.border_block, 0)
            for (columns, _, at), before, now in zip(old.inner, old.weight[1], new.weight[1], strict=True):
                exponent[at] = before - now
                which[at] = first + old.grid.inner_block[columns]
        return replace(self, steps=steps), exponent, which

    def pooled(self, point: Floats) -> Floats:
        """The point with the intercepts at the pooled rates."""
        point = point.copy()
        for step in self.steps:
            point[step.border[0]] = np.log(step.rate) - (0.0 if step.ratio else np.log1p(-step.rate))
        return point


def shape_of(compiled: CompiledModel, sizes: Mapping[str, int]) -> Shape | None:
    """The field's shape in a density's point, or None where it has no such shape.

    Parameters
    ----------
    compiled : CompiledModel
    sizes : mapping of name to int
        The variables that make up the point, in their order.
    """
    blueprint = compiled.blueprint
    layout, steps = blueprint.layout, blueprint.panel.funnel.steps
    priors = [blueprint.prior.intercept_of(step.name) for step in steps]
    plain = not any(block.cellwise or block.slope is not None for block in blueprint.blocks)
    plain &= any("jurisdiction" in block.axes for block in blueprint.blocks)
    if "z" not in sizes or "intercept" not in sizes or not plain:
        return None
    grid = make_grid(blueprint, np.zeros(layout.size), np.zeros(layout.size))
    if not grid.inner.shape[1]:
        return None
    first = dict(zip(sizes, np.cumsum([0, *sizes.values()]), strict=False))
    known, rates = information(blueprint), step_rates(blueprint)
    data = held_by_data(blueprint, known)
    length = sizes["z"] // layout.steps
    shapes = []
    for number, (prior, ratio) in enumerate(zip(priors, blueprint.ratio_steps, strict=True)):
        assert isinstance(prior, Normal)  # of others there is no one variable of this name
        cells = np.zeros(grid.n.size)
        cells[grid.cell] = known[number]
        border, inner, column = [np.array([first["intercept"] + number])], [], 0
        wide: list[list[Floats]] = [[np.ones(1)], [np.ones(1)]]
        narrow: list[list[Floats]] = [[], []]
        at = first["z"] + number * length
        for block, *both in zip(blueprint.blocks, data, compiled.weights, strict=True):
            each = [one[number] for one in both]
            place = at + np.arange(each[0].size).reshape(each[0].shape)
            at += place.size
            if "jurisdiction" not in block.axes:
                border.append(place.ravel())
                for pieces, one in zip(wide, each, strict=True):
                    pieces.append(one.ravel())
                continue
            axis = block.axes.index("jurisdiction")
            free = block.bases[axis].free
            place, *each = (np.moveaxis(one, axis, 0).reshape(free, -1) for one in (place, *each))
            inner.append((slice(column, column + place.shape[1]), block.bases[axis].matrix, place))
            for pieces, one in zip(narrow, each, strict=True):
                pieces.append(one)
            column += place.shape[1]
        held, weight = ((np.concatenate(one), tuple(other)) for one, other in zip(wide, narrow, strict=True))
        shapes.append(
            StepShape(
                grid, cells.reshape(grid.n.shape), float(rates[number]), bool(ratio), prior.sd**-2,
                np.concatenate(border), tuple(inner), held, weight,
            )
        )  # fmt: skip
    return Shape(sum(sizes.values()), tuple(shapes))
