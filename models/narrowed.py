"""A blueprint of some reports, with no other cells than theirs: what is worked out of a few takes as little room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .batches import Batch
from .blueprint import Blueprint


def narrowed(blueprint: Blueprint, batches: Sequence[Batch]) -> Blueprint:
    """The same model, read at some of its reports alone; draws of the field are those of the whole.

    Parameters
    ----------
    blueprint : Blueprint
        Without unsplit totals, which need the cells they are made of.
    batches : sequence of Batch
        Of the blueprint, or some of their groups.
    """
    layout = blueprint.layout
    used = np.unique(np.concatenate([batch.slots.ravel() for batch in batches]) % layout.size)
    fewer = layout.take(used)
    moved = [
        replace(
            batch,
            slots=(
                batch.slots // layout.size * fewer.size + np.searchsorted(used, batch.slots % layout.size)
            ).astype(batch.slots.dtype),
        )
        for batch in batches
    ]
    return replace(blueprint, layout=fewer, batches=tuple(moved))
