"""Simulated worlds: counts drawn forward from known rates, and the ways in which they come to be partly seen.

The rate of a cell is the model's own sum of effects on the logit scale, so that a fit of a world can be held
against its truth: sizes log-normal, offense mix Dirichlet, referrals Poisson, outcomes binomial step by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..data.calendar import LAST_YEAR
from ..data.errors import InputError, Problem, did_you_mean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STAGES = ("referral", "investigation", "arrest", "prosecution", "conviction")
SEEN_AS = ("exact", "total", "bounded", "skipped", "silent")
SUPPRESSED = (1, 4)
DEFAULT_INTERCEPTS = (-1.8, -1.2, -0.8, -0.4)
DEFAULT_SPREADS: Mapping[str, float] = MappingProxyType(
    {
        "offense": 0.7,
        "jurisdiction": 0.6,
        "time": 0.25,
        "offense_jurisdiction": 0.3,
        "offense_time": 0.15,
        "cell": 0.3,
    }
)


FIRST: Final = 2015
MOST_QUARTERS: Final = 4 * (LAST_YEAR + 1 - FIRST)


@dataclass(frozen=True)
class WorldSpec:
    """What a world is made of.

    Parameters
    ----------
    offenses, jurisdictions, periods, steps : int
        Sizes of the axes and the number of steps (1 to 4).
    mean_referrals : float
        Mean count of the first stage over cells.
    kinds : mapping of str to float
        Share of jurisdiction-periods seen in each way of ``SEEN_AS``, as weights.
    silent : float
        Share of jurisdictions with no statement after the first stage, in any period.
    seed : int
    spreads : mapping of str to float
        Standard deviation of each effect on the logit scale, the same at each step.
    intercepts : tuple of float
        Logit of the middle rate of each step.
    """

    offenses: int = 8
    jurisdictions: int = 56
    periods: int = 40
    steps: int = 2
    mean_referrals: float = 60.0
    kinds: Mapping[str, float] = field(default_factory=lambda: {"exact": 1.0})
    silent: float = 0.0
    seed: int = 1
    spreads: Mapping[str, float] = DEFAULT_SPREADS
    intercepts: tuple[float, ...] = DEFAULT_INTERCEPTS

    def problems(self) -> list[Problem]:
        """Every reason why no such world can be drawn."""
        found = []
        for name in ("offenses", "jurisdictions", "periods"):
            if getattr(self, name) < 1:
                found.append(Problem(f"too few {name}", f"--{name}", str(getattr(self, name)), "1 or more"))
        if self.periods > MOST_QUARTERS:
            most = f"{MOST_QUARTERS} or fewer quarters, to the end of {LAST_YEAR}"
            found.append(Problem("too many periods", "--periods", str(self.periods), most))
        if not 1 <= self.steps < len(STAGES):
            found.append(Problem("steps", "--steps", str(self.steps), f"1 to {len(STAGES) - 1}"))
        if not 0 < self.mean_referrals < np.inf:
            found.append(Problem("mean count", "--mean-referrals", str(self.mean_referrals), "above 0"))
        if not 0 <= self.silent <= 1:
            found.append(Problem("share of jurisdictions", "--silent", str(self.silent), "0 to 1"))
        if self.seed < 0:
            found.append(Problem("seed", "--seed", str(self.seed), "0 or more"))
        for name, weight in self.kinds.items():
            if name not in SEEN_AS:
                found.append(Problem("unknown kind", "--kinds", repr(name), "", did_you_mean(name, SEEN_AS)))
            elif not 0 <= weight < np.inf:
                found.append(Problem("weight of a kind", "--kinds", f"{name}:{weight}", "0 or more"))
        if not found and not sum(self.kinds.values()) > 0:
            found.append(Problem("no kind has a weight", "--kinds", "nothing", "a weight above 0"))
        if self.steps == 1 and self.kinds.get("skipped", 0) > 0:
            found.append(
                Problem("no stage to skip", "--kinds", "skipped", "two steps or more", "give --steps 2")
            )
        return found


@dataclass(frozen=True)
class World:
    """A drawn world.

    Parameters
    ----------
    spec : WorldSpec
    stages : tuple of str
    rates : (steps, O, J, T) float
        The true rate of each step in each cell.
    counts : (steps + 1, O, J, T) int
        What happened, at each stage.
    seen : (J, T) int
        Position in ``SEEN_AS`` of the way in which a jurisdiction-period is seen.
    """

    spec: WorldSpec
    stages: tuple[str, ...]
    rates: Floats
    counts: Ints
    seen: Ints

    @property
    def offense_names(self) -> tuple[str, ...]:
        """``o1``, ``o2``, …"""
        return _names("o", self.spec.offenses)

    @property
    def jurisdiction_names(self) -> tuple[str, ...]:
        """``j01``, ``j02``, …"""
        return _names("j", self.spec.jurisdictions)

    @property
    def period_names(self) -> tuple[str, ...]:
        """Quarters from the first of 2015 on."""
        return tuple(f"{FIRST + t // 4}Q{t % 4 + 1}" for t in range(self.spec.periods))

    def shown(self) -> Ints:
        """Counts of the cells that are seen one by one, -1 where a cell's count is not, (stages, O, J, T)."""
        out = self.counts.copy()
        later = out[1:]
        for name in ("total", "silent"):
            later[:, :, self.seen == SEEN_AS.index(name)] = -1
        later[:-1, :, self.seen == SEEN_AS.index("skipped")] = -1
        later[self.suppressed()[1:]] = -1
        return out

    def suppressed(self) -> NDArray[np.bool_]:
        """Which cells are published as a range because they are small, (stages, O, J, T)."""
        low, high = SUPPRESSED
        out = (self.counts >= low) & (self.counts <= high) & (self.seen == SEEN_AS.index("bounded"))
        out[0] = False
        return out

    def totals(self) -> list[tuple[int, int, int, int]]:
        """Sums over offenses published in place of cells: (stage, jurisdiction, period, count)."""
        where = np.argwhere(self.seen == SEEN_AS.index("total"))
        sums = self.counts.sum(axis=1)
        return [(s, int(j), int(t), int(sums[s, j, t])) for j, t in where for s in range(1, len(self.stages))]


def draw_world(spec: WorldSpec) -> World:
    """Draw a world; the same specification gives the same world, and seeing less of it changes nothing else.

    Parameters
    ----------
    spec : WorldSpec

    Returns
    -------
    World

    Raises
    ------
    InputError
        With every problem of the specification.
    """
    problems = spec.problems()
    if problems:
        raise InputError(problems)
    size, mix, rate, count, sight = (np.random.default_rng([spec.seed, stream]) for stream in range(5))
    shape = (spec.offenses, spec.jurisdictions, spec.periods)
    exposure = np.exp(size.normal(size=spec.jurisdictions))
    exposure /= exposure.mean()
    share = mix.dirichlet(np.ones(spec.offenses))
    mean = spec.mean_referrals * spec.offenses * share[:, None, None] * exposure[None, :, None]
    rates = np.stack([_rates(spec, step, shape, rate) for step in range(spec.steps)])
    counts = [count.poisson(np.broadcast_to(mean, shape))]
    for step in range(spec.steps):
        counts.append(count.binomial(counts[-1], rates[step]))
    return World(spec, STAGES[: spec.steps + 1], rates, np.stack(counts), _sights(spec, sight))


def _rates(spec: WorldSpec, step: int, shape: tuple[int, int, int], rng: np.random.Generator) -> Floats:
    """Rates of one step: the inverse logit of the sum of effects, (O, J, T)."""
    o, j, t = shape
    sd = {name: float(spec.spreads.get(name, 0.0)) for name in DEFAULT_SPREADS}
    eta = np.full(shape, spec.intercepts[step], dtype=np.float64)
    eta += sd["offense"] * _centered(rng.normal(size=o), (0,))[:, None, None]
    eta += sd["jurisdiction"] * _centered(rng.normal(size=j), (0,))[None, :, None]
    eta += sd["time"] * walk(rng.normal(size=t))[None, None, :]
    eta += sd["offense_jurisdiction"] * _centered(rng.normal(size=(o, j)), (0, 1))[:, :, None]
    eta += sd["offense_time"] * _centered(walk(rng.normal(size=(o, t))), (0,))[:, None, :]
    eta += sd["cell"] * rng.normal(size=shape)
    return 1.0 / (1.0 + np.exp(-eta))


def _centered(values: Floats, axes: tuple[int, ...]) -> Floats:
    """Values less their mean along each axis in turn."""
    for axis in axes:
        values = values - values.mean(axis=axis, keepdims=True)
    return values


def walk(steps: Floats) -> Floats:
    """First-order random walks along the last axis, centered, of typical variance 1 whatever their length.

    The scale is that of Sørbye and Rue (2014): the geometric mean of the marginal variances of the centered
    walk is one.
    """
    length = steps.shape[-1]
    if length == 1:
        return np.zeros_like(steps)
    loading = np.tril(np.ones((length, length)))[:, 1:]
    loading = loading - loading.mean(axis=0)
    scale = np.exp(0.5 * np.log((loading**2).sum(axis=1)).mean())
    return steps[..., 1:] @ (loading / scale).T


def _sights(spec: WorldSpec, rng: np.random.Generator) -> Ints:
    """The way in which each jurisdiction-period is seen: shares as asked, to the nearest whole number."""
    weights = np.array([spec.kinds.get(name, 0.0) for name in SEEN_AS])
    places = rng.permutation(spec.jurisdictions)
    quiet = np.sort(places[: round(spec.silent * spec.jurisdictions)])
    seen = np.full((spec.jurisdictions, spec.periods), SEEN_AS.index("silent"), dtype=np.int64)
    heard = np.setdiff1d(np.arange(spec.jurisdictions), quiet)
    total = heard.size * spec.periods
    edges = np.rint(np.cumsum(weights) / weights.sum() * total).astype(int)
    kinds = np.searchsorted(edges, np.arange(total), side="right")
    seen[heard] = rng.permutation(kinds).reshape(heard.size, spec.periods)
    return seen


def _names(letter: str, number: int) -> tuple[str, ...]:
    width = len(str(number))
    return tuple(f"{letter}{i + 1:0{width}d}" for i in range(number))
