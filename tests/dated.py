"""Cohorts known at dates, and what may have become of every unit, lag by lag, by the words of the settings."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit
from scipy.stats import multinomial

from attrition.data.panel import Panel
from attrition.models.blueprint import Blueprint
from attrition.models.kinds.immature import Immature

from .panels import Fact, bind, fits, group_logp, make_panel

OFFENSES, PERIODS = ("a", "b"), ("2021", "2022", "2023", "2024")
HORIZON = 2
Kinds = Mapping[str, Mapping[str, object]]
KIND: Kinds = {"immature": {"horizon": HORIZON}}
Z = 0.6
NEVER = 99
UNKNOWN = dict.fromkeys(("lag_hazard", "lag_offense", "lag_drift"), Z)
RATES = {"a": (0.55, 0.35), "b": (0.25, 0.6)}
Dated = tuple[str, Fact]  # year at whose end it was known, with a "p" where it is dated by period; fact


def panel_of(facts: list[Dated], periods: tuple[str, ...] = PERIODS) -> Panel:
    panel = make_panel([fact for _, fact in facts], OFFENSES, ("P",), periods)
    told = [
        replace(s, as_of=f"{year[:4]}-12-31", clock="period" if year.endswith("p") else "cohort")
        for s, (year, _) in zip(panel.statements, facts, strict=True)
    ]
    return replace(panel, statements=tuple(told), dated=True)


def referrals(n: dict[str, int]) -> list[Dated]:
    """By offense and period, e.g. ``a/2023``."""
    return [
        ("2024", ("referral", f"{node.replace('/', '/P/')}", "exact", units)) for node, units in n.items()
    ]


def density(panel: Panel, kinds: Kinds = KIND) -> tuple[Blueprint, float]:
    blueprint = bind(panel, ["intercept"], kinds=kinds)
    offense = blueprint.layout.coordinates[0]
    p = np.array([RATES[OFFENSES[o]] for o in offense]).T
    return blueprint, sum(group_logp(blueprint, np.log(p / (1 - p)), unknown=UNKNOWN).values())


def delays(offense: str, period: str, kinds: Kinds = KIND) -> np.ndarray:
    """Shares of the lags of those who pass, by the words of the settings; the same at both steps."""
    settings = Immature.Settings(**kinds["immature"])
    low, high = (math.log(x / (1 - x)) for x in settings.hazard)
    first = (low + high) / 2 + Z * (high - low) / (2 * 1.6448536269514722)
    walk = Z * np.arange(len(PERIODS))
    moved = settings.offense * Z + settings.drift * (walk - walk.mean())[PERIODS.index(period)]
    hazard = [expit(first + settings.walk * Z * d + moved) for d in range(HORIZON)] + [1.0]
    left, out = 1.0, []
    for h in hazard:
        out.append(left * h)
        left *= 1 - h
    return np.array(out)


def fates(offense: str, period: str, kinds: Kinds = KIND) -> dict[tuple[int, int], float]:
    """Chances of (lag of the investigation, lag of the arrest), both since the referral; NEVER for never."""
    f, (p, q) = delays(offense, period, kinds), RATES[offense]
    out = {(NEVER, NEVER): 1 - p}
    for e, there in enumerate(f):
        out[e, NEVER] = p * there * (1 - q)
        for lag, then in enumerate(f):
            out[e, e + lag] = out.get((e, e + lag), 0.0) + p * there * q * then
    return out


@dataclass(frozen=True)
class Worlds:
    """Everything that may have become of the units of some cells.

    Parameters
    ----------
    nodes : tuple of str
        Offense and period of each cell.
    lags : tuple of (fates, 2) int
        Of each cell, the lags of investigation and arrest by fate.
    counts : tuple of (K, fates) int
        Of each cell, the units of each fate in each world.
    probability : (K,)
    """

    nodes: tuple[str, ...]
    lags: tuple[np.ndarray, ...]
    counts: tuple[np.ndarray, ...]
    probability: np.ndarray

    def stated(self, panel: Panel) -> np.ndarray:
        """Which worlds agree with every later statement, (K,)."""
        good = np.ones(len(self.probability), dtype=bool)
        for s in panel.statements:
            if s.stage == "referral":
                continue
            stage, total = int(s.stage == "arrest"), np.zeros(len(good))
            for node, lags, counts in zip(self.nodes, self.lags, self.counts, strict=True):
                offense, period = node.split("/")
                if s.offense not in ("all", offense):
                    continue
                if s.clock == "period":
                    total += counts @ (lags[:, stage] + int(period) == int(s.period))
                elif s.period in ("all", period):
                    total += counts @ (lags[:, stage] <= int(s.as_of[:4]) - int(period))
            good &= fits(total, s)
        return good

    def complete(self, stage: int) -> np.ndarray:
        """Counts at the horizon of a later stage, (K, cells)."""
        pairs = zip(self.lags, self.counts, strict=True)
        return np.stack([counts @ (lags[:, stage] < NEVER) for lags, counts in pairs], axis=1)


def worlds(n: Mapping[str, int], kinds: Kinds = KIND) -> Worlds:
    """All worlds of some cells with so many referrals each."""
    tables = []
    for node, units in n.items():
        law = fates(*node.split("/"), kinds)
        bars = itertools.combinations(range(units + len(law) - 1), len(law) - 1)
        counts = np.array([np.diff([-1, *bar, units + len(law) - 1]) - 1 for bar in bars])
        tables.append((np.array(list(law)), counts, multinomial.pmf(counts, units, list(law.values()))))
    at = np.indices([len(counts) for _, counts, _ in tables]).reshape(len(tables), -1)
    chosen = [counts[row] for (_, counts, _), row in zip(tables, at, strict=True)]
    chance = math.prod(np.atleast_1d(p)[row] for (_, _, p), row in zip(tables, at, strict=True))
    return Worlds(tuple(n), tuple(lags for lags, _, _ in tables), tuple(chosen), np.asarray(chance))


INV, ARR = "investigation", "arrest"
CASES: dict[str, tuple[dict[str, int], list[Dated]]] = {
    "latest count": ({"a/2024": 3}, [("2024", (INV, "a/P/2024", "exact", 1))]),
    "two dates": (
        {"a/2023": 3},
        [("2023", (INV, "a/P/2023", "exact", 1)), ("2024", (INV, "a/P/2023", "exact", 2))],
    ),
    "three dates, the last one complete": (
        {"a/2022": 3},
        [
            ("2022", (INV, "a/P/2022", "exact", 0)),
            ("2023", (INV, "a/P/2022", "exact", 1)),
            ("2024", (INV, "a/P/2022", "exact", 2)),
        ],
    ),
    "a skipped step": (
        {"a/2023": 3},
        [("2023", (ARR, "a/P/2023", "exact", 0)), ("2024", (ARR, "a/P/2023", "exact", 1))],
    ),
    "a range and a count": (
        {"a/2023": 3},
        [("2023", (INV, "a/P/2023", "suppressed", 1, 2)), ("2024", (INV, "a/P/2023", "exact", 2))],
    ),
    "a sum of cohorts": (
        {f"{o}/{t}": 0 for o in OFFENSES for t in PERIODS} | {"a/2022": 1, "a/2023": 2, "b/2024": 2},
        [("2024", (INV, "all/P/all", "exact", 1))],
    ),
    "a sum at two dates": (
        {"a/2023": 2, "b/2023": 2},
        [("2023", (INV, "all/P/2023", "exact", 1)), ("2024", (INV, "all/P/2023", "exact", 3))],
    ),
    "outcomes by their own date": (
        {"a/2021": 2, "a/2022": 1, "a/2023": 1, "a/2024": 1},
        [("2024p", (INV, "a/P/2023", "exact", 1)), ("2024p", (INV, "a/P/2024", "exact", 2))],
    ),
    "outcomes of all offenses by their own date": (
        {"a/2022": 1, "b/2022": 1, "a/2023": 0, "b/2023": 1, "a/2024": 1, "b/2024": 0},
        [("2024p", (INV, "all/P/2024", "exact", 2))],
    ),
    "two stages at one date": (
        {"a/2024": 3},
        [("2024", (INV, "a/P/2024", "exact", 2)), ("2024", (ARR, "a/P/2024", "exact", 1))],
    ),
    "arrests out of investigations at two dates": (
        {"b/2023": 4},
        [
            ("2023", (INV, "b/P/2023", "exact", 1)),
            ("2024", (INV, "b/P/2023", "exact", 3)),
            ("2024", (ARR, "b/P/2023", "exact", 1)),
        ],
    ),
    "arrests out of a complete count": (
        {"a/2022": 3},
        [("2024", (INV, "a/P/2022", "exact", 2)), ("2024", (ARR, "a/P/2022", "exact", 1))],
    ),
    "arrests out of a complete count known by dates": (
        {"a/2022": 3},
        [
            ("2022", (INV, "a/P/2022", "exact", 1)),
            ("2024", (INV, "a/P/2022", "exact", 3)),
            ("2024", (ARR, "a/P/2022", "exact", 2)),
        ],
    ),
}
