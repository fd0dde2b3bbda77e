"""A model centred anew, once a chain has shown how far its effects may differ.

How far a coefficient is best centred depends on its block's standard deviation, of which nothing is known before
sampling; the cautious guess that ``models/centring.py`` makes then leaves coefficients that the data know well moving
with their scale. The density has the same form however it is centred, so that nothing is compiled again.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...models.compile import CompiledModel, compile_model

Floats = NDArray[np.float64]
# Of the standard deviations that were seen: where one is smaller than the centring assumes the funnel comes back.
_LOW = 0.25


def low_scales(sd: Mapping[str, Floats]) -> dict[str, Floats]:
    """Standard deviations (S,) to centre by, of draws (R, S) by block."""
    return {name: np.quantile(values, _LOW, axis=0) for name, values in sd.items()}


def recentred(compiled: CompiledModel, sd: Mapping[str, Floats]) -> CompiledModel:
    """The model centred by draws (R, S) of the standard deviations of its blocks."""
    return compile_model(compiled.blueprint, low_scales(sd))


def carried(
    coefficients: Floats, before: CompiledModel, after: CompiledModel, sd: Mapping[str, Floats]
) -> Floats:
    """Coefficients (S · F,) of one model as those of the other, where the blocks have these scales, each (S,)."""
    old, new = (
        np.concatenate([weight.reshape(len(weight), -1) for weight in one.weights], axis=1)
        for one in (before, after)
    )
    log_sd = [
        np.repeat(np.log(sd[name])[:, None], weight[0].size, axis=1)
        for name, weight in zip(before.blocks, before.weights, strict=True)
    ]
    # With u the coefficient in units of the predictor z = u sd^(w - 1).
    return np.asarray(
        (coefficients.reshape(old.shape) * np.exp((new - old) * np.concatenate(log_sd, axis=1))).ravel()
    )
