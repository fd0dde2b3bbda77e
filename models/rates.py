"""Rates on their natural scale, and one step of the funnel forward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .mixture import Mixture

Floats = NDArray[np.float64]


def rates_of(eta: Floats, ratio_steps: Sequence[bool]) -> Floats:
    """Rates on their natural scale; eta (…, S, A) in logits, or logs for ratio steps."""
    out = np.empty_like(eta)
    for step, ratio in enumerate(ratio_steps):
        x = eta[..., step, :]
        out[..., step, :] = np.exp(x) if ratio else 0.5 * (1 + np.tanh(x / 2))
    return out


def rates_of_odds(odds: Floats, ratio: bool) -> Floats:
    """Rates of one step from exp(eta): odds, or the rates themselves for a ratio step."""
    if ratio:
        return odds
    with np.errstate(divide="ignore"):
        return 1 / (1 + 1 / odds)


def put_totals(rates: Floats, share: Floats, mixture: Mixture) -> None:
    """Put in the rates of unsplit totals: at each step the mean over the units of their cells that get so far.

    Parameters
    ----------
    rates : (S, A, R)
        Rates of the first S steps on their natural scale; the rows of the totals are replaced.
    share : (K, P, R)
        Shares of the cells of each total in its units of the first stage, 0 where padded.
    mixture : Mixture
    """
    members = mixture.members.T
    for step in rates:
        passed = step[members]
        passed *= share
        own = passed.sum(axis=0)
        step[mixture.at] = own
        # Where none of the units gets further, how they would have been shared is of no consequence.
        share = np.divide(passed, np.maximum(own, np.finfo(float).tiny), out=passed)


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
