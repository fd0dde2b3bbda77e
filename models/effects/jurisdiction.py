"""Jurisdictions differ, within the jurisdictions that contain them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from ...data.axes import Axes, Axis
from .. import terms
from ..basis import Basis, over, siblings, side_by_side
from ..priors import ScalePrior


def nested(axis: Axis, depth: int) -> Basis:
    """Basis of the nodes at one depth of a tree, by sibling groups, mapped to the leaves."""
    nodes = [node.name for node in axis.nodes if axis.depth(node.name) == depth]
    # Siblings must stand together for the block-diagonal basis.
    nodes.sort(key=lambda name: [n.name for n in axis.nodes].index(axis.by_name[name].parent or ""))
    below = np.zeros((len(axis), len(nodes)))
    for column, name in enumerate(nodes):
        below[axis.positions[name], column] = 1.0
    return siblings(axis, nodes).read(below)


class Jurisdiction:
    """Exchangeable jurisdiction effects: one block for the first level of the tree, one for all levels below it.

    Siblings sum to zero where no remainder stands beside them.
    """

    name: ClassVar[str] = "jurisdiction"
    order: ClassVar[int] = 20
    example: ClassVar[str] = '[[effect]]\nkind = "jurisdiction"\nconstrained = true\n'

    class Settings(terms.Settings):
        """``constrained``: sum to zero. ``sd``: a prior of its own in place of a share of the total spread."""

        constrained: bool = True
        sd: ScalePrior | None = None

    def sentence(self) -> str:
        """What the effect says, in one sentence."""
        return "Jurisdictions differ, and are shrunk towards the level of the place that contains them."

    def equation(self) -> str:
        """Its symbol in the linear predictor."""
        return "b[s,j]"

    def terms(self, settings: terms.Settings, axes: Axes) -> tuple[terms.Term, ...]:
        """Its contribution on these axes."""
        assert isinstance(settings, self.Settings)
        axis = axes.jurisdiction
        if not settings.constrained:
            return (
                terms.Block("jurisdiction", ("jurisdiction",), (over(axis, constrained=False),), settings.sd),
            )
        deepest = max(axis.depth(name) for name in axis.leaves)
        if deepest == 0:
            return ()  # one place
        blocks = [terms.Block("jurisdiction", ("jurisdiction",), (nested(axis, 1),), settings.sd)]
        if deepest > 1:
            # Few places lie deep in a tree: all levels below the first share one spread.
            below = [nested(axis, depth) for depth in range(2, deepest + 1)]
            basis = side_by_side(below)
            blocks.append(terms.Block("jurisdiction_2", ("jurisdiction",), (basis,), settings.sd))
        return tuple(blocks)
