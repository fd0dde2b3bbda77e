"""The linked counts of a run: every exact count read, on the trees of its axes, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data.axes import Axis, Node
from ...data.errors import InputError, Problem
from ...data.names import AXES
from .equations import Equations
from .table import LinkedTable

UNSPLIT: Final = ":unsplit"
LARGEST: Final = 20_000
KNOWN: Final = ("used", "dropped", "unused")


class Layer(NamedTuple):
    """What counts must share to be added or compared: stage, origin and clock."""

    stage: str
    origin: str
    clock: str


@dataclass(frozen=True)
class Counts:
    """Counts on a grid of nodes, and the table they form.

    Parameters
    ----------
    axes : dict of str to Axis
        Without the totals that the model holds unsplit.
    layers : tuple of Layer
        In the order of the stages.
    table : LinkedTable
        The grid of each layer in C order, one after the other; then what is lost from a stage to the next.
    """

    axes: dict[str, Axis]
    layers: tuple[Layer, ...]
    table: LinkedTable

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes of the three axes."""
        return tuple(len(self.axes[axis].nodes) for axis in AXES)

    @cached_property
    def places(self) -> tuple[dict[str, int], ...]:
        """Position of each node, for each axis."""
        return tuple({name: i for i, name in enumerate(self.axes[axis].by_name)} for axis in AXES)

    def grid(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is said of each count as (layers, offense, jurisdiction, period)."""
        size = len(self.layers) * int(np.prod(self.shape))
        return values[:size].reshape(len(self.layers), *self.shape)

    def position(self, layer: int, node: Sequence[int]) -> int:
        """Place in the table of a node's count."""
        return int(np.ravel_multi_index((layer, *node), (len(self.layers), *self.shape)))

    def name(self, position: int) -> dict[str, str]:
        """Stage, origin, clock and nodes of a count."""
        layer, *node = np.unravel_index(position, (len(self.layers), *self.shape))
        names = [self.axes[axis].nodes[int(i)].name for axis, i in zip(AXES, node, strict=True)]
        return {**self.layers[int(layer)]._asdict(), **dict(zip(AXES, names, strict=True))}


def clock_of(clock: str) -> str:
    """An unknown clock is read as period."""
    return "cohort" if clock == "cohort" else "period"


def linked_counts(blueprint: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], k: int) -> Counts:
    """The table of all exact counts of a run, with every total and difference that follows from them.

    Parameters
    ----------
    blueprint : mapping
        As in ``blueprint.json``.
    statements : sequence of mapping
        Lines of ``intake.json``.
    k : int
        Counts of 1 to k - 1, and counts known to lie there, are sensitive.

    Raises
    ------
    InputError
        The axes have more nodes than an attacker's program is solved for.
    """
    axes = {axis: _axis(axis, blueprint["axes"][axis]) for axis in AXES}
    stages = list(blueprint["funnel"]["stages"])
    order = {status: i for i, status in enumerate(KNOWN)}
    lines = sorted(
        (s for s in statements if s["status"] in order and s["stage"] in stages and s["role"] == "use"),
        key=lambda s: order[s["status"]],
    )
    exact = [s for s in lines if s["relation"] == "exact" and s["count"] is not None]
    found = {Layer(s["stage"], s["origin"], clock_of(s["clock"])) for s in exact}
    layers = tuple(sorted(found, key=lambda layer: (stages.index(layer.stage), layer.origin, layer.clock)))
    shape = (len(layers), *(len(axes[axis].nodes) for axis in AXES))
    if np.prod(shape) > LARGEST:
        raise InputError(
            Problem(
                "too many counts to protect",
                "plan, [disclosure]",
                f"{np.prod(shape):,} nodes of offense, jurisdiction, period and stage",
                f"at most {LARGEST:,}",
                'merge offenses, places or periods, or set method = "round"',
            )
        )
    places = [{name: i for i, name in enumerate(axes[axis].by_name)} for axis in AXES]

    def at(line: Mapping[str, Any]) -> tuple[int, ...] | None:
        layer = Layer(line["stage"], line["origin"], clock_of(line["clock"]))
        node = [place.get(line[axis], -1) for place, axis in zip(places, AXES, strict=True)]
        return None if layer not in layers or min(node) < 0 else (layers.index(layer), *node)

    values = np.full(shape, np.nan)
    small = np.zeros(shape, dtype=bool)
    for line in exact:
        if (place := at(line)) is not None and np.isnan(values[place]):
            values[place] = line["count"]
    for line in lines:
        ends = line["low"], line["high"]
        if None not in ends and 1 <= ends[0] <= ends[1] < k and (place := at(line)) is not None:
            small[place] = True
    equations = Equations(shape)
    for number, axis in enumerate(AXES, 1):
        kids = axes[axis].children
        for name, children in kids.items():
            if children:
                equations.total(number, places[number - 1][name], [places[number - 1][c] for c in children])
    for earlier, later in _pairs(blueprint, layers, stages):
        equations.order(earlier, later)
    return Counts(axes, layers, equations.table(values.ravel(), small.ravel(), k))


def _axis(name: str, nodes: Sequence[Mapping[str, Any]]) -> Axis:
    kept = [node for node in nodes if not node["name"].endswith(UNSPLIT)]
    return Axis(name, tuple(Node(node["name"], node["label"], node["parent"]) for node in kept))


def _pairs(
    blueprint: Mapping[str, Any], layers: Sequence[Layer], stages: Sequence[str]
) -> list[tuple[int, int]]:
    """Layers of which the later cannot exceed the earlier at any node: the referred cohort, where steps are shares."""
    share = [step["kind"] == "probability" for step in blueprint["steps"]]
    cohort = [
        i for i, layer in enumerate(layers) if layer.origin == "referred_only" and layer.clock == "cohort"
    ]
    out = []
    for earlier, later in pairwise(cohort):
        first, last = (stages.index(layers[i].stage) for i in (earlier, later))
        if all(share[first:last]):
            out.append((earlier, later))
    return out
