"""Fewer draws, evenly spaced, the same number from each chain; or all of them, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from .aside import Filed
from .store.draws import MANY

Floats = NDArray[np.float64]
KEPT = 400
_NUMBERS, _REFERENCE, _MOST_REFERENCE = 60_000_000, 18_000_000, 1_000
# What a gate of 1,000 effective draws of aggregates asks for at the least, and the memory it may take.
_ENOUGH, _MOST = 1_600, 240_000_000
_AT_ONCE, _IN_MEMORY = 1_000_000, 3_000_000


def by_chain(size: int, chains: int, wanted: int) -> np.ndarray:
    """Evenly spaced draws, the same number from each chain."""
    length = size // chains
    inner = np.unique(np.linspace(0, length - 1, min(length, max(wanted // chains, 1))).astype(int))
    return (np.arange(chains)[:, None] * length + inner).ravel()


def evenly(size: int, cells: int, chains: int) -> np.ndarray:
    """All draws where memory allows, else evenly spaced ones."""
    return by_chain(size, chains, min(size, most_draws(cells)))


def most_draws(cells: int) -> int:
    """How many draws of so many cells are looked at, memory allowing: never fewer than 400.

    Up to 150,000 cells they are as many as the gates ask for.
    """
    return max(KEPT, _NUMBERS // max(cells, 1), min(_ENOUGH, _MOST // max(cells, 1)))


def for_reference(cells: int) -> int:
    """How many draws give the spread of a new unit, or of the prior: 400 to 1,000."""
    return int(np.clip(_REFERENCE // max(cells, 1), KEPT, _MOST_REFERENCE))


def take(draws: FieldDraws, index: np.ndarray) -> FieldDraws:
    """The draws at some positions; any of them may be there several times."""
    if np.array_equal(index, np.arange(len(draws.intercept))):
        return draws
    return replace(
        draws,
        intercept=draws.intercept[index],
        sd={name: values[index] for name, values in draws.sd.items()},
        values={name: values[index] for name, values in draws.values.items()},
        phi=draws.phi[index],
        concentration=draws.concentration[index] if draws.concentration is not None else None,
        total_spread=draws.total_spread[index] if draws.total_spread is not None else None,
        unknown={name: values[index] for name, values in draws.unknown.items()},
    )


def thinned[T: np.floating[Any]](values: NDArray[T], index: np.ndarray) -> NDArray[T]:
    """Some of the draws (R, …), each at most once and in their order; no copy where all are wanted or all agree."""
    if len(index) == len(values):
        return values
    return values[: len(index)] if values.strides[0] == 0 else values[index]


def without_cells(draws: FieldDraws, blueprint: Blueprint) -> FieldDraws:
    """The draws without effects of single cells, which are as many as the cells."""
    cells = {block.name for block in blueprint.blocks if block.cellwise}
    return replace(draws, values={name: found for name, found in draws.values.items() if name not in cells})


def cells_aside(draws: FieldDraws, blueprint: Blueprint, folder: Path) -> FieldDraws:
    """The draws with the effects of single cells in files of a folder, from which they are read as they are used."""
    rest = without_cells(draws, blueprint).values
    files = {name: folder / f"effect-{name}.npy" for name in draws.values if name not in rest}
    for name, file in files.items():
        np.save(file, draws.values[name])
    return replace(draws, values=Filed(rest, files))


def joined(draws: Sequence[FieldDraws]) -> FieldDraws:
    """Draws one after the other."""

    def along(found: Sequence[Floats]) -> Floats:
        return found[0] if len(found) == 1 else np.concatenate(found)

    def maybe(found: Sequence[Floats | None]) -> Floats | None:
        known = [one for one in found if one is not None]
        return along(known) if known else None

    def each(found: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
        return {name: along([one[name] for one in found]) for name in found[0]}

    return FieldDraws(
        intercept=along([one.intercept for one in draws]),
        sd=each([one.sd for one in draws]),
        values=each([one.values for one in draws]),
        phi=along([one.phi for one in draws]),
        concentration=maybe([one.concentration for one in draws]),
        total_spread=maybe([one.total_spread for one in draws]),
        unknown=each([one.unknown for one in draws]),
    )


def parts(size: int, cells: int, numbers: int = _IN_MEMORY) -> Iterator[np.ndarray]:
    """Positions of all draws, so many at a time that arrays of all cells stay small; of small runs all at once."""
    few = max(numbers // max(cells, 1), 16) if cells <= MANY else max(_AT_ONCE // cells, 4)
    for start in range(0, size, few):
        yield np.arange(start, min(start + few, size))


def predictor(blueprint: Blueprint, draws: FieldDraws) -> np.ndarray:
    """Linear predictors of the active step-cells, (R, S, A), from a few draws at a time: small arrays are faster."""
    layout, size = blueprint.layout, len(draws.intercept)
    out = np.empty((size, layout.steps, layout.size))
    few = max(_AT_ONCE // (layout.steps * layout.size), 16)
    for start in range(0, size, few):
        part = np.arange(start, min(start + few, size))
        out[part] = blueprint.predictor(take(draws, part))
    return out
