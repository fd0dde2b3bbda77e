"""How far the data moved each number: against the prior, and against an exchangeable new unit."""

from __future__ import annotations

import itertools
from threading import Lock

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..data.funnel import Step
from ..data.names import AXES
from ..models.blueprint import Blueprint
from ..models.field import FieldDraws
from ..models.rates import rates_of
from .fresh import FreshRates
from .rows import Bools, CellDraws, Floats, Reals, Rows, link, spread
from .rowwise import means_and_variances
from .thinning import for_reference, parts


def cell_rates(
    rng: np.random.Generator, blueprint: Blueprint, eta: Floats, draws: FieldDraws, observed: bool
) -> Floats:
    """Rates of the active cells, (R, S, A).

    With beta-binomial overdispersion a cell's own rate is drawn around the linear predictor: from its conjugate
    posterior where its counts are known and ``observed`` is set, from the population otherwise.
    """
    rates = rates_of(eta, blueprint.ratio_steps)
    if draws.concentration is None:
        return rates
    total = draws.concentration[:, None, None]
    counts = blueprint.analysis.counts[:, blueprint.layout.cells]
    both = (
        np.isfinite(counts[1:]) & np.isfinite(counts[:-1]) if observed else np.zeros(counts[1:].shape, bool)
    )
    success = np.where(both, counts[1:], 0.0)
    failure = np.where(both, counts[:-1] - counts[1:], 0.0)
    return rng.beta(total * rates + success, total * (1 - rates) + failure)


def distinguishing(blueprint: Blueprint) -> Bools:
    """Axes along which some effect tells units apart, in the order of AXES, (3,)."""
    if blueprint.concentration is not None:
        return np.ones(3, dtype=bool)
    return np.array([any(axis in block.axes for block in blueprint.blocks) for axis in AXES])


def touched(blueprint: Blueprint) -> Bools:
    """Step-cells on the path of some statement, (S, A)."""
    layout = blueprint.layout
    flags = np.zeros(layout.steps * layout.size, dtype=bool)
    for batch in blueprint.batches:
        inside = (batch.segment >= 0) & batch.mask[..., None] & (batch.slots < flags.size)
        flags[batch.slots[inside]] = True
    out = flags.reshape(layout.steps, layout.size)
    for group in blueprint.analysis.parted:
        steps = np.arange(min(int(group.start[0]), group.stages[0] - 1), group.stages[0])
        out[np.ix_(steps, layout.positions[group.cells])] = True
    return out


class _Variances:
    """Variances of rows whose draws come a few at a time (Chan, Golub and LeVeque 1983)."""

    def __init__(self, rows: int) -> None:
        self._size, self._mean, self._square = 0, np.zeros(rows), np.zeros(rows)

    def add(self, values: Floats) -> None:
        """More draws, (N, r)."""
        more = values.shape[1]
        mean, variance = means_and_variances(values)
        away, whole = mean - self._mean, self._size + more
        self._square += variance * more + away**2 * (self._size * more / whole)
        self._mean += away * (more / whole)
        self._size = whole

    def variances(self) -> Floats:
        """Of all draws so far, (N,); NaN where that was one."""
        return self._square / self._size if self._size > 1 else np.full_like(self._square, np.nan)


class Reference:
    """Variances, on the link scale, of what a row would be before its data: by prior, and as a new unit.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws
        Posterior draws; thinned ones will do.
    weights : (S + 1, A)
        Mean counts, which weight the cells of an aggregate.
    """

    def __init__(
        self, rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws, weights: Floats
    ) -> None:
        self._rng, self._blueprint = rng, blueprint
        (self._of_prior,) = rng.spawn(1)
        self._drawn: CellDraws | None = None
        self._lock = Lock()
        self._weights = np.nan_to_num(weights)
        self._fresh = FreshRates(blueprint, draws)

    @property
    def _prior(self) -> CellDraws:
        # Not before they are asked for, by whichever thread is first: they take as much as the posterior's draws, and
        # new units are looked at without them.
        with self._lock:
            if self._drawn is None:
                self._drawn = self._draw_prior()
            return self._drawn

    def _draw_prior(self) -> CellDraws:
        blueprint, layout, rng = self._blueprint, self._blueprint.layout, self._of_prior
        size = for_reference(layout.steps * layout.size)
        rates = np.empty((layout.steps, layout.size, size), dtype=np.float32)
        for part in parts(size, layout.steps * layout.size):
            prior = blueprint.prior_draws(rng, len(part))
            eta = blueprint.predictor(prior)
            rates[..., part] = np.moveaxis(cell_rates(rng, blueprint, eta, prior, observed=False), 0, -1)
        return CellDraws.of_rates(np.moveaxis(rates, -1, 0))

    def _weighted(self, member: sp.csr_matrix, step: Step) -> sp.csr_matrix:
        """Weights of the cells of each row, which sum to one: by mean counts, or plain where there are none."""
        weighted = member.multiply(self._weights[step.source]).tocsr()
        plain = np.asarray(weighted.sum(axis=1)) <= 0
        weighted = (weighted + member.multiply(plain)).tocsr()
        weighted.eliminate_zeros()
        total = np.asarray(weighted.sum(axis=1))
        return sp.csr_matrix(weighted.multiply(1 / np.maximum(total, 1e-300)))

    def prior(self, member: sp.csr_matrix, step: Step) -> Floats:
        """Prior draws of the rows on the link scale, (N, R)."""
        return self.linked(self._prior, member, step)

    def linked(self, cells: CellDraws, member: sp.csr_matrix, step: Step) -> Floats:
        """Other draws of the cells, as rows on the link scale, (N, R)."""
        return link(self._averaged(cells, member, step), step.kind == "ratio")

    def averages(self, member: sp.csr_matrix, step: Step) -> tuple[Floats, Floats]:
        """Prior draws of the rows themselves, (N, R), and the sums of the weights of their cells, (N,)."""
        return self._averaged(self._prior, member, step), member @ self._weights[step.source]

    def _averaged(self, cells: CellDraws, member: sp.csr_matrix, step: Step) -> Floats:
        weighted = self._weighted(member, step)
        rows, columns = weighted.shape
        return cells.step(step).means(weighted, np.ones((columns, 1)), np.ones((rows, 1)))

    def new_unit(self, rows: Rows, *steps: Step) -> Floats:
        """Variance of each row as an exchangeable new unit, (steps, N); NaN for rows that have no siblings."""
        out = np.full((len(steps), len(rows)), np.nan)
        apart = ~rows.whole & distinguishing(self._blueprint)
        wanted: list[tuple[str, ...]] = []
        hits: list[NDArray[np.int64]] = []
        for combination in itertools.product([False, True], repeat=3):
            hit = np.flatnonzero((apart == np.array(combination)).all(axis=1))
            if any(combination) and len(hit):
                wanted.append(tuple(axis for axis, used in zip(AXES, combination, strict=True) if used))
                hits.append(hit)
        weights = [[self._weighted(rows.member[hit], step) for step in steps] for hit in hits]
        found = [[_Variances(len(hit)) for _ in steps] for hit in hits]

        def look(number: int, *paths: Floats) -> list[Floats]:
            return [
                link(weight @ path, step.kind == "ratio")
                for weight, path, step in zip(weights[number], paths, steps, strict=True)
            ]

        for _, kinds in self._fresh.seen(self._rng, wanted, steps, look):
            for variances, linked in zip(found, kinds, strict=True):
                for one, values in zip(variances, linked, strict=True):
                    one.add(values)
        for hit, variances in zip(hits, found, strict=True):
            out[:, hit] = [one.variances() for one in variances]
        return out

    def contractions(
        self, member: sp.csr_matrix, step: Step, drawn: Reals, new_unit: Floats, touched: Bools
    ) -> tuple[Floats, Floats]:
        """Contractions of rows against the prior and against a new unit, each (N,).

        Parameters
        ----------
        member : (N, A) sparse
        step : Step
        drawn : (N, R)
            Draws of the rows.
        new_unit : (N,)
            What ``new_unit`` says of them.
        touched : (N,) bool
            Some statement speaks of the row; the others are as any new unit.
        """
        ratio = step.kind == "ratio"
        posterior = spread(drawn, ratio)
        own = contraction(posterior, new_unit)
        own[~np.isnan(own) & ~touched] = 0.0
        return contraction(posterior, spread(self.averages(member, step)[0], ratio)), own


def contraction(posterior: Floats, reference: Floats) -> Floats:
    """1 - posterior variance / reference variance, held within [0, 1]; NaN where there is no reference."""
    with np.errstate(divide="ignore", invalid="ignore"):
        out = 1 - posterior / reference
    return np.where(
        np.isfinite(reference) & (reference > 0),
        np.clip(out, 0, 1),
        np.where(np.isnan(reference), np.nan, 0.0),
    )
