"""What groups may be expected to count, cases of other origins included."""

from __future__ import annotations

import numpy as np

from . import paths
from .batches import Batch
from .blueprint import Blueprint
from .contract import Floats
from .field import FieldDraws
from .kinds.all_sources import AllSources, log_share


def expected(blueprint: Blueprint, batch: Batch, gathered: Floats, draws: FieldDraws) -> Floats:
    """Expected counts of the last stage that groups speak of, (R, S).

    Parameters
    ----------
    blueprint : Blueprint
    batch : Batch
    gathered : (R, S, m, L)
        Linear predictors along its paths.
    draws : FieldDraws
        Of the same R draws.
    """
    if batch.ratio:
        log_mean, _ = paths.ratio_law(gathered, batch, blueprint.ratio_steps, draws.phi, paths.ARRAY)
        return np.asarray(np.exp(log_mean[..., -1]))
    reach = np.exp(blueprint.chances(batch, gathered, draws.unknown)[..., -1:])
    own = (batch.n[..., None] * reach).sum(axis=2)
    return np.asarray((own + others(blueprint, batch, reach, draws))[..., 0])


def others(blueprint: Blueprint, batch: Batch, reach: Floats, draws: FieldDraws) -> Floats | float:
    """Expected cases of other origins in each total of a probability path, (R, S, D); ``reach`` (R, S, m, D)."""
    name = AllSources.name
    if name not in batch.parts or not batch.data["entry"].any():
        return 0.0
    unsure = batch.data["unknown_origin"][:, None]
    settings = blueprint.kind_settings[name]
    share = np.minimum(log_share(settings, draws.unknown, batch.data["source"], unsure, paths.ARRAY), -1e-9)
    odds = np.where(batch.data["entry"][:, None], np.expm1(-share), 0.0)
    return np.asarray((batch.n[..., None] * reach * odds[..., None]).sum(axis=2))
