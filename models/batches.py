"""Batches: groups of one shape side by side, and what the kinds make of them on the way to a density."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Batch:
    """Groups of one shape: S groups, m cells at most, L steps on the longest path, D stages spoken of.

    Parameters
    ----------
    report : str
        The report kind that says what was seen of the totals.
    parts : tuple of str
        The part kinds that apply to some group, in order.
    slots : (S, m, L) int32
        Positions in the vector of active step-cells, or behind its end among the parts of unsplit totals.
    segment : (S, m, L) int8
        Which stretch of the path a step belongs to: d for the steps that lead to the d-th stage spoken of
        (0-based), D for those from the last of them to ``end``, -1 for padding.
    step : (S, m, L) int8
        Position of the step in the funnel.
    ratio : bool
        The path holds a ratio step (log link): totals are negative binomial and D is 1 or 2.
    end : bool
        Some cell is conditioned on a later known stage.
    mask : (S, m) bool
    n : (S, m) float
    low, high : (S, D) float
    groups : tuple of int
        Positions in ``Analysis.groups``.
    statement_id : tuple of str
        One joined id a group, the coordinate of its log-likelihood.
    data : mapping of str to (S, …) array
        What part kinds added when binding.
    kinds : tuple of tuple of str
        The part kinds that apply to each group.
    members : (S, D, m) bool or None
        Where totals cross, which cells each is over; all are then of one stage.
    """

    report: str
    parts: tuple[str, ...]
    slots: NDArray[np.int32]
    segment: NDArray[np.int8]
    step: NDArray[np.int8]
    ratio: bool
    end: bool
    mask: NDArray[np.bool_]
    n: Floats
    low: Floats
    high: Floats
    groups: tuple[int, ...]
    statement_id: tuple[str, ...]
    data: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    kinds: tuple[tuple[str, ...], ...] = ()
    members: Bools | None = None

    @property
    def depth(self) -> int:
        """D, the number of stages spoken of; 1 where totals of one stage cross."""
        return self.low.shape[1] if self.members is None else 1

    def with_data(self, data: Mapping[str, NDArray[Any]]) -> Batch:
        """The batch with more arrays, first axis S."""
        return replace(self, data={**self.data, **data})

    def take(self, rows: Ints) -> Batch:
        """A batch of some of the groups."""
        arrays = ("slots", "segment", "step", "mask", "n", "low", "high")
        tuples = ("groups", "statement_id", "kinds")
        parts: dict[str, Any] = {name: getattr(self, name)[rows] for name in arrays}
        parts |= {name: tuple(getattr(self, name)[row] for row in rows) for name in tuples}
        members = None if self.members is None else self.members[rows]
        return replace(
            self, **parts, members=members, data={name: value[rows] for name, value in self.data.items()}
        )

    def row(self, number: int) -> Batch:
        """A batch of one of the groups."""
        return self.take(np.array([number]))


@dataclass(frozen=True)
class PathRates:
    """What the engine hands to the kinds: gathered rates and what goes with them.

    eta : (S, m, L)
        Linear predictors of the steps on each path.
    ratio_steps : tuple of bool
        For each step of the funnel, whether it is a ratio.
    phi : (steps,) or None
        Variance factor of ratio steps, 1 for the others.
    concentration : scalar or None
        Beta-binomial concentration a+b.
    unknown : mapping
        Values of the kinds' own unknowns, by name.
    """

    eta: TensorVariable
    ratio_steps: tuple[bool, ...]
    phi: TensorVariable | None = None
    concentration: TensorVariable | None = None
    unknown: Mapping[str, TensorVariable] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """The independent parts whose sum a report is about; PyTensor tensors.

    Either ``log_pi`` (multinomial cells), ``log_mean`` and ``factor`` (a ratio step), or ``mean`` and ``variance``
    (totals that cross) is set.

    log_pi : (S, m, D + 1)
        Log probability that a unit of the cell stops before the first stage, between the first and the second, …,
        reaches the last.
    n : (S, m)
    log_mean, factor : (S, D), (S, D)
        Ratio steps: log mean of the total at each stage, and the variance factor φ ≥ 1 of its law given the total
        before (negative binomial).
    eta : (S,) or None
        The linear predictor itself where a group is one cell, one probability step and nothing else: lets a
        report use the shortest formula.
    log_poisson : (S, D) or None
        Log mean of an independent Poisson count that ends in each of the D stages (other origins).
    concentration : scalar, (S,) or None
        Beta-binomial concentration a+b.
    mean, variance : (S, m), (S, m)
        Moments of the cells' counts.
    """

    n: TensorVariable
    log_pi: TensorVariable | None = None
    log_mean: TensorVariable | None = None
    factor: TensorVariable | None = None
    eta: TensorVariable | None = None
    log_poisson: TensorVariable | None = None
    concentration: TensorVariable | None = None
    mean: TensorVariable | None = None
    variance: TensorVariable | None = None
