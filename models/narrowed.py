"""A model read at some of its reports: with no other cells than theirs, what is worked out takes as little room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .batches import Batch
from .blueprint import Blueprint
from .field import FieldDraws


def narrowed(
    blueprint: Blueprint, draws: FieldDraws, batches: Sequence[Batch]
) -> tuple[Blueprint, FieldDraws]:
    """The same model, read at some of its reports alone, and the same draws, without the effects of other cells.

    Parameters
    ----------
    blueprint : Blueprint
        Without unsplit totals, which need the cells they are made of.
    draws : FieldDraws
    batches : sequence of Batch
        Of the blueprint, or some of their groups.
    """
    layout = blueprint.layout
    used = np.unique(np.concatenate([batch.slots.ravel() for batch in batches]) % layout.size)
    units, unit = np.unique(layout.unit[used], return_inverse=True)
    fewer = replace(layout.take(used), unit=unit.astype(np.int64))
    moved = [
        replace(
            batch,
            slots=(
                batch.slots // layout.size * fewer.size + np.searchsorted(used, batch.slots % layout.size)
            ).astype(batch.slots.dtype),
        )
        for batch in batches
    ]
    own = {block.name: draws.values[block.name][..., units] for block in blueprint.blocks if block.cellwise}
    return (
        replace(blueprint, layout=fewer, batches=tuple(moved)),
        replace(draws, values={**draws.values, **own}),
    )
