"""Sums over offenses as a new place with the same mix would report them: what they are held against."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..models.batches import Batch
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws, draw_block
from ..models.margins import margins_only
from ..models.narrowed import narrowed
from . import predictive
from .predictive import Moments, Report
from .thinning import predictor

Floats = NDArray[np.float64]
PLACE = "jurisdiction"


@dataclass(frozen=True)
class Margins:
    """Exact sums over several offenses, their mix, and their replicates in new places.

    Parameters
    ----------
    reports : tuple of Report
        N of them.
    mix : (N, K)
        Share of each offense in the denominators of a report.
    replicate : (R, N)
        Each draw has places of its own: every effect of a place is drawn again from its population.
    offenses : tuple of str
        K names.
    learned : frozenset of str
        Stages all of whose steps some statement informs of one offense alone: the offenses' rates are learned there,
        and not read off the sums' own mixes.
    """

    reports: tuple[Report, ...]
    mix: Floats
    replicate: Floats
    offenses: tuple[str, ...]
    learned: frozenset[str]


def margins(rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws) -> Margins | None:
    """Sums over offenses and their replicates, None where there is none.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws, R.

    Returns
    -------
    Margins or None

    Notes
    -----
    A mixed predictive replicate (Gelman, Meng and Stern 1996; Marshall and Spiegelhalter 2007): what the places have
    in common is as in the draw, what is a place's own is new. Replicates of the same places would follow whatever
    departure of these sums their own effects have taken up.
    """
    batches = tuple(batch for batch in blueprint.batches if _mix(blueprint, batch)[1].any())
    if not batches:
        return None
    anew = {
        block.name: draw_block(rng, block, draws.sd[block.name], blueprint.layout)
        for block in blueprint.blocks
        if PLACE in block.axes
    }
    places = replace(draws, values={**draws.values, **anew})
    some = replace(blueprint, batches=batches)
    if blueprint.mixture is None:
        some, places = narrowed(blueprint, places, batches)
    made: Moments = predictive.moments(rng, some, predictor(some, places), places)
    told = predictive.reports(some)
    mix, several = (np.concatenate(part) for part in zip(*(_mix(blueprint, b) for b in batches), strict=True))
    keep = np.flatnonzero(several & np.array([one.low == one.high for one in told]))
    if not len(keep):
        return None
    funnel = blueprint.panel.funnel
    alone = ~np.array(margins_only(blueprint.panel, blueprint.analysis))
    learned = frozenset(name for at, name in enumerate(funnel.stages) if at and alone[:at].all())
    return Margins(
        tuple(told[k] for k in keep), mix[keep], made.replicate[:, keep].astype(np.float64),
        blueprint.panel.axes.offense.leaves, learned,
    )  # fmt: skip


def _mix(blueprint: Blueprint, batch: Batch) -> tuple[Floats, NDArray[np.bool_]]:
    """Of the reports of a batch: each offense's share of the denominators, (N, K), and whether several have one."""
    shape = blueprint.panel.axes.shape
    size, places = batch.low.shape
    counts = np.zeros((size, places, shape[0]))
    for row, number in enumerate(batch.groups):
        group = blueprint.analysis.groups[number]
        # A part of an unsplit total has a mix that nobody recorded.
        if group.part >= 0 or len(group.cells) == 1:
            continue
        offense = np.unravel_index(group.cells, shape)[0]
        n = np.nan_to_num(batch.n[row, : len(offense)])
        for place in range(places):
            inside = n if batch.members is None else n * batch.members[row, place, : len(offense)]
            np.add.at(counts[row, place], offense, inside)
    flat = counts.reshape(-1, shape[0])
    whole = flat.sum(axis=1, keepdims=True)
    return flat / np.maximum(whole, 1.0), (flat > 0).sum(axis=1) > 1
