"""Complete counts spread over the lags at which they came, for panels with known truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .contract import Floats


def arrivals(
    rng: np.random.Generator,
    counts: Floats,
    laws: Sequence[Floats],
    publication: Floats,
    closing: Sequence[Floats] | None = None,
) -> tuple[dict[int, Floats], dict[int, Floats]]:
    """Counts of each later stage by the lag, since the first stage, at which they were seen.

    Whether a unit passes does not depend on when it came, so that those who pass are a plain sample of those before.

    Parameters
    ----------
    rng : Generator
    counts : (stages, C)
        Complete counts; NaN where unknown.
    laws : sequence of (C, D + 1)
        Shares of the delays of each step.
    publication : (P,)
        Shares of events that are seen after 0, 1, … periods.
    closing : sequence of (C, D + 1), optional
        Of the units that do not pass each step, the shares closed at each lag; the rest is left open.

    Returns
    -------
    came, closed : mapping of stage to (C, lags)
        Those that reached the stage, and, with ``closing``, those closed without it. NaN for cells whose counts are not
        known at each stage up to this one.
    """
    out: dict[int, Floats] = {}
    closed: dict[int, Floats] = {}
    before = counts[0][:, None]
    for step, law in enumerate(laws):
        horizon = law.shape[1] - 1
        came = np.full((len(law), before.shape[1] + horizon), np.nan)
        shown = np.full((len(law), came.shape[1] + len(publication) - 1), np.nan)
        shut = np.full(shown.shape, np.nan)
        for cell in np.flatnonzero(np.isfinite(before[:, 0]) & np.isfinite(counts[step + 1])):
            passed = rng.multivariate_hypergeometric(
                before[cell].astype(np.int64), int(counts[step + 1, cell])
            )
            came[cell] = _later(rng, passed, law[cell])
            shown[cell] = _later(rng, came[cell].astype(np.int64), publication)
            if closing is not None:
                ended = _later(rng, before[cell].astype(np.int64) - passed, closing[step][cell])
                shut[cell] = _later(rng, ended.astype(np.int64), publication)
        out[step + 1] = shown
        closed |= {step + 1: shut} if closing is not None else {}
        before = came
    return out, closed


def _later(rng: np.random.Generator, counts: np.ndarray, law: Floats) -> Floats:
    """Counts by lag, each unit moved on by a delay of its own; where the law sums to less than 1 not all of them."""
    moved = rng.multinomial(counts, [*law, max(1 - law.sum(), 0.0)])[:, :-1]
    out = np.zeros(len(counts) + len(law) - 1)
    np.add.at(out, np.add.outer(np.arange(len(counts)), np.arange(len(law))), moved)
    return out
