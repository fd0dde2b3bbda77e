"""Cohorts of which units are converted, closed or neither, and everything that may have become of them."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import multinomial

from attrition.data.panel import Panel
from attrition.models.blueprint import Blueprint
from attrition.models.kinds.immature import Immature

from .dated import ARR, HORIZON, INV, KIND, NEVER, PERIODS, RATES, UNKNOWN, Dated, Kinds, Z, delays
from .panels import bind, fits, group_logp

CLOSING = ("close_hazard", "close_offense", "close_drift")
EVERYTHING = UNKNOWN | dict.fromkeys(CLOSING, Z)


def density(panel: Panel, kinds: Kinds = KIND) -> tuple[Blueprint, float]:
    """As of cohorts without closings, with the hazards of being closed moved too."""
    blueprint = bind(panel, ["intercept"], kinds=kinds)
    p = np.array([RATES["ab"[o]] for o in blueprint.layout.coordinates[0]]).T
    return blueprint, sum(group_logp(blueprint, np.log(p / (1 - p)), unknown=EVERYTHING).values())


def closes(offense: str, period: str) -> np.ndarray:
    """Shares of those who never pass a step that are closed at each lag, by the words of the settings."""
    settings = Immature.Settings(horizon=HORIZON)
    low, high = (np.log(x / (1 - x)) for x in settings.closing)
    walk = Z * np.arange(len(PERIODS))
    level = (low + high) / 2 + Z * (high - low) / (2 * 1.6448536269514722)
    level += settings.offense * Z + settings.drift * (walk - walk.mean())[PERIODS.index(period)]
    left, out = 1.0, []
    for lag in range(HORIZON + 1):
        hazard = expit(level + settings.walk * Z * lag)
        out.append(left * hazard)
        left *= 1 - hazard
    return np.array(out)


def fates(offense: str, period: str) -> dict[tuple[int, int, int, int], float]:
    """Chances of (lag of the investigation, closed without it, lag of the arrest, closed without it)."""
    f, g, (p, q) = delays(offense, period), closes(offense, period), RATES[offense]
    out: dict[tuple[int, int, int, int], float] = {(NEVER, NEVER, NEVER, NEVER): (1 - p) * (1 - g.sum())}
    for lag, share in enumerate(g):
        out[NEVER, lag, NEVER, NEVER] = (1 - p) * share
    for e, there in enumerate(f):
        out[e, NEVER, NEVER, NEVER] = p * there * (1 - q) * (1 - g.sum())
        for lag, then in enumerate(f):
            out[e, NEVER, e + lag, NEVER] = p * there * q * then
        for lag, then in enumerate(g):
            out[e, NEVER, NEVER, e + lag] = p * there * (1 - q) * then
    return out


@dataclass(frozen=True)
class Tables:
    """All tables of fates of some cells.

    Parameters
    ----------
    probability : (K,)
    stated : (K,) bool
        Which agree with every later statement.
    investigated : (K, cells)
        Complete counts of the first step.
    """

    probability: np.ndarray
    stated: np.ndarray
    investigated: np.ndarray


def tables(panel: Panel, n: dict[str, int]) -> Tables:
    """Everything that may have become of cells with so many referrals each."""
    spoken = {s.stage for s in panel.statements}
    each = []
    for node, units in n.items():
        # What no statement speaks of is one fate: fewer tables, the same probability.
        seen: Counter[tuple[int, ...]] = Counter()
        for fate, chance in fates(*node.split("/")).items():
            seen[fate if ARR in spoken else (*fate[:2], NEVER, NEVER)] += chance
        bars = itertools.combinations(range(units + len(seen) - 1), len(seen) - 1)
        counts = np.array([np.diff([-1, *bar, units + len(seen) - 1]) - 1 for bar in bars])
        each.append((np.array(list(seen)), counts, multinomial.pmf(counts, units, list(seen.values()))))
    at = np.indices([len(counts) for _, counts, _ in each]).reshape(len(each), -1)
    pairs = list(zip(each, at, strict=True))
    probability = np.prod([np.atleast_1d(p)[row] for (_, _, p), row in pairs], axis=0)
    good = np.ones(at.shape[1], dtype=bool)
    for s in panel.statements:
        if s.stage == "referral":
            continue
        total = np.zeros(len(good))
        for node, ((lags, counts, _), row) in zip(n, pairs, strict=True):
            offense, period = node.split("/")
            if s.offense in ("all", offense) and s.period in ("all", period):
                column = 2 * (s.stage == ARR) + s.closed
                total += counts[row] @ (lags[:, column] <= int(s.as_of[:4]) - int(period))
        good &= fits(total, s)
    whole = [counts[row] @ (lags[:, 0] < NEVER) for (lags, counts, _), row in pairs]
    return Tables(probability, good, np.stack(whole, axis=1))


def closed(year: str, node: str, *count: float, stage: str = INV) -> Dated:
    """So many closed without a stage; two numbers are a range."""
    return year, (stage, node, "closed", *([None] if len(count) > 1 else []), *count)  # type: ignore[list-item]
