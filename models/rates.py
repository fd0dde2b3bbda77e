"""Rates on their natural scale, and one step of the funnel forward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rates_of(eta: Floats, ratio_steps: Sequence[bool]) -> Floats:
    """Rates on their natural scale; eta (…, S, A) in logits, or logs for ratio steps."""
    out = np.empty_like(eta)
    for step, ratio in enumerate(ratio_steps):
        x = eta[..., step, :]
        out[..., step, :] = np.exp(x) if ratio else 0.5 * (1 + np.tanh(x / 2))
    return out


def step_forward(
    rng: np.random.Generator,
    counts: Floats,
    rate: Floats,
    ratio: bool,
    phi: Floats | float,
    concentration: Floats | None = None,
) -> Floats:
    """Counts at the next stage: binomial, beta-binomial, or negative binomial for a ratio step."""
    if ratio:
        mean = counts * rate
        excess = np.broadcast_to(np.asarray(phi, dtype=float) - 1, mean.shape)
        spread_out = rng.gamma(np.maximum(mean / np.maximum(excess, 1e-9), 1e-300), excess)
        return rng.poisson(np.where(excess > 1e-9, spread_out, mean)).astype(float)
    if concentration is not None:
        rate = rng.beta(concentration * rate + 1e-300, concentration * (1 - rate) + 1e-300)
    return rng.binomial(counts.astype(np.int64), np.clip(rate, 0, 1)).astype(float)
