"""The three axes of a cell: offense, jurisdiction and period, each possibly a tree under ``all``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .names import AXES, ROOT

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Node:
    """A category.

    Parameters
    ----------
    name : str
    label : str
        What people read.
    parent : str or None
        The category that contains it; None for the root.
    members : int
        How many first-level parts it really has, named here or not: a nation of thirty units of which four are
        known has 30. 1 where nothing is said.
    made : {"", "unsplit", "rest"}
        Made by the program, never published: a total that is not split by offense, or what a place holds beside
        its recorded sub-units.
    weight : float
        Among its siblings, where effects are to balance to zero.
    """

    name: str
    label: str
    parent: str | None
    members: int = 1
    made: Literal["", "unsplit", "rest"] = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Axis:
    """One axis: a tree of categories whose root is the literal ``all``; its leaves index the cells.

    Parameters
    ----------
    name : str
        offense, jurisdiction or period.
    nodes : tuple of Node
        Parents before children; the first is the root. Leaves keep the order they have here. An axis that holds
        the root alone has one leaf, the root itself.
    """

    name: str
    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Names of the direct children of each node."""
        found: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            if node.parent is not None:
                found[node.parent].append(node.name)
        return {name: tuple(kids) for name, kids in found.items()}

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """Names of the leaves, in order: the coordinate of this axis."""
        return tuple(node.name for node in self.nodes if not self.children[node.name])

    @cached_property
    def positions(self) -> dict[str, Index]:
        """For each node the positions of the leaves below it (its own, for a leaf)."""
        at = {name: i for i, name in enumerate(self.leaves)}
        below: dict[str, list[int]] = {node.name: [] for node in self.nodes}
        for leaf in self.leaves:
            for name in (leaf, *self.ancestors(leaf)):
                below[name].append(at[leaf])
        return {name: np.asarray(rows, dtype=np.int64) for name, rows in below.items()}

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Names from the parent of a node up to the root."""
        out = []
        parent = self.by_name[name].parent
        while parent is not None:
            out.append(parent)
            parent = self.by_name[parent].parent
        return tuple(out)

    def depth(self, name: str) -> int:
        """0 for the root."""
        return len(self.ancestors(name))

    @cached_property
    def own(self) -> dict[str, str]:
        """For each node the leaf that stands for itself: the leaf, or the one made for it."""
        made = {node.parent: node.name for node in self.nodes if node.made and node.parent is not None}
        return {
            name: made.get(name, name) for name in self.by_name if name in made or not self.children[name]
        }

    def label(self, name: str) -> str:
        """What people read."""
        return self.by_name[name].label

    def __len__(self) -> int:
        return len(self.leaves)


@dataclass(frozen=True)
class Axes:
    """Offense × jurisdiction × period; a cell is one leaf of each, numbered in C order."""

    offense: Axis
    jurisdiction: Axis
    period: Axis

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of leaves (O, J, T)."""
        return len(self.offense), len(self.jurisdiction), len(self.period)

    def __getitem__(self, name: str) -> Axis:
        if name not in AXES:
            raise KeyError(name)
        return getattr(self, name)

    def cells(self, offense: str = ROOT, jurisdiction: str = ROOT, period: str = ROOT) -> Index:
        """Flat numbers of the cells under one node of each axis, ascending."""
        o, j, t = (
            self.offense.positions[offense],
            self.jurisdiction.positions[jurisdiction],
            self.period.positions[period],
        )
        rows, columns = len(self.jurisdiction), len(self.period)
        if o.size == j.size == t.size == 1:
            # Most statements are of one cell: nothing to broadcast.
            return (o * rows + j) * columns + t
        return (((o[:, None] * rows + j)[:, :, None]) * columns + t).ravel()

    def cell_names(self, cell: int) -> tuple[str, str, str]:
        """Leaf names of one cell."""
        o, j, t = np.unravel_index(cell, self.shape)
        return self.offense.leaves[o], self.jurisdiction.leaves[j], self.period.leaves[t]
