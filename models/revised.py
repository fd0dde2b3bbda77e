"""Counts that may be corrected downwards: the record of a unit can be taken back until its cohort is complete.

In every period a unit's record is looked at anew with chance ω, and then says what the record of any unit of that age
would; otherwise it stays, or is made when the outcome comes. A count keeps the mean it would have if it never fell, and
the counts of a cohort at several dates are a Markov chain of two states, known in sums over its units (Kalbfleisch,
Lawless and Vollmer 1983, Estimation in Markov models from aggregate data). Read backwards, with F the share of the
outcomes that come by an age, p the rate, and K = (1 - ω)^k the chance that a record was not looked at in k periods:

    P(counted at a | counted at b) = K F_a / F_b + (1 - K) p F_a
    P(counted at a | not counted at b) = (1 - K) p F_a

so that given the count of a later date each earlier one is a sum of two binomials. At ω = 0 it is the multinomial over
lags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .contract import Floats, Group
from .delays import convolve
from .lags import EVER, Lags
from .paths import ARRAY, Ops

NAME = "revised"
_TINY = 1e-300


def unseen(settings: Any, unknown: Mapping[str, Any], step: Any, periods: Any, ops: Ops) -> Any:
    """Chance that a record was not looked at in so many periods: K, of the shape of ``step`` with ``periods``."""
    centre, sd = settings.looked_at
    logit = centre + sd * unknown[NAME][..., step]
    return ops.exp(-periods * ops.softplus(logit))


def counted_before(counted: Any, rate: Any, within: Any, later: Any, kept: Any) -> Any:
    """Chance to have been counted at an earlier age; ``counted`` 1 for units that are so at the later one, else 0."""
    return kept * counted * within / (later + _TINY) + (1 - kept) * rate * within


def counted_in_the_end(seen: float, rate: Floats, left: Floats, kept: Floats) -> Floats:
    """Chance to be counted when complete, of units that are counted (``seen`` 1) or pending (0) at a date.

    Parameters
    ----------
    seen : {0, 1}
    rate, left, kept : (R, m)
        ``left``: the chance that a pending unit passes later where no record is looked at.
    """
    return kept * (seen + (1 - seen) * left) + (1 - kept) * rate


def chain(
    stage: int,
    cell: int,
    units: float,
    whole: tuple[float, int],
    counts: Sequence[tuple[str, float, int]],
    horizon: int,
    full: int,
) -> Iterable[Group]:
    """One group for each earlier count of a cell, given the count after it.

    Parameters
    ----------
    stage, cell : int
    units : float
        How many had reached the stage before.
    whole : tuple of (count, age)
        The last count, which has a density of its own.
    counts : sequence of (statement, count, age)
        The earlier ones, the latest first.
    horizon : int
    full : int
        The age at which a count is complete.
    """
    later, at = whole
    for name, count, age in counts:
        n = np.array([later, units - later])
        gap = min(at, full) - age
        rows = n > 0
        some = int(rows.sum())
        last = np.full((some, 1), age, dtype=np.int64)
        entered = np.tile(np.array([0, EVER], dtype=np.int64), (some, 1))
        behind = np.array([[at, 1, gap], [at, 0, gap]], dtype=np.int64)[rows]
        ends = np.array([count])
        yield Group(
            np.full(some, cell, dtype=np.int64),
            np.full(some, stage - 1, dtype=np.int64),
            n[rows],
            np.full(some, -1, dtype=np.int64),
            (stage,),
            ends,
            ends,
            ((name,),),
            lags=Lags(np.zeros_like(last), last, entered, horizon, later=behind),
        )
        later, at = count, age


def records_of(
    rng: np.random.Generator,
    counts: Floats,
    rates: Floats,
    laws: Sequence[Floats],
    settings: Any,
    unknown: Mapping[str, Floats],
) -> Mapping[int, Floats]:
    """Counts of each later stage by age, drawn backwards from the complete ones, (C, ages); the last age is complete.

    Parameters
    ----------
    rng : Generator
    counts : (stages, C)
        Complete counts; NaN where unknown.
    rates : (steps, C)
    laws : sequence of (C, D + 1)
        Shares of the delays of each step.
    settings : Settings
        Of ``immature``.
    unknown : mapping of name to (1, …)
    """
    published, out, passed = np.array(settings.published), {}, np.ones((counts.shape[1], 1))
    for step, law in enumerate(laws):
        passed = convolve(passed, law, (passed.shape[1], law.shape[1]))
        shown = np.repeat(published[None], len(passed), axis=0)
        within = convolve(passed, shown, (passed.shape[1], len(published))).cumsum(axis=1)
        kept = float(unseen(settings, unknown, step, 1, ARRAY)[0])
        units, table = counts[step], np.repeat(counts[step + 1][:, None], within.shape[1], axis=1)
        known = np.isfinite(units) & np.isfinite(counts[step + 1])
        table[~known] = np.nan
        for age in range(within.shape[1] - 2, -1, -1):
            later = table[known, age + 1].astype(np.int64)
            law_of = (rates[step][known], within[known, age], within[known, age + 1], kept)
            stay, made = (np.clip(counted_before(one, *law_of), 0.0, 1.0) for one in (1.0, 0.0))
            others = units[known].astype(np.int64) - later
            table[known, age] = rng.binomial(later, stay) + rng.binomial(others, made)
        out[step + 1] = table
    return out
