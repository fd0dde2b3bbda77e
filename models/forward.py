"""Counts drawn forward: of the funnel's own cases, and of every layer that is counted apart from them.

The cells of an unsplit total are drawn one by one out of its first count, and the total is their sum, so that parts of
it agree with it. Counts of every source hold the funnel's own cases and others beside them, who enter at the first
stage that is counted so; from there on both pass at the rate of the mixed population.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .blueprint import Blueprint
from .contract import Group
from .field import FieldDraws
from .kinds.all_sources import AllSources, log_share, source_places
from .mixture import loose_counts
from .paths import ARRAY
from .rates import rates_of, step_forward
from .unsplit import OWN, Layer, layer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Entry:
    """Where other sources enter each cell of a layer; all (A,).

    stage : the first count that holds them, or the last stage for cells of which none is known.
    log_share : of referrals in the count at that stage.
    place : the cell's row among the coordinates of the offsets.
    """

    stage: Ints
    log_share: Floats
    place: Ints


class Forward:
    """One draw of the field, and the counts it makes of the panel's denominators.

    Parameters
    ----------
    rng : Generator
    blueprint : Blueprint
    draws : FieldDraws
        With R = 1.
    first : (A,), optional
        Counts at the first stage in place of the panel's; NaN where unknown.

    Attributes
    ----------
    draws : FieldDraws
    eta, rates : (S, A)
        Linear predictors, unsplit totals included, and rates on their natural scale.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        blueprint: Blueprint,
        draws: FieldDraws,
        first: Floats | None = None,
    ) -> None:
        self._rng, self._blueprint, self.draws = rng, blueprint, draws
        self.eta: Floats = blueprint.predictor(draws)[0]
        self.rates = rates_of(self.eta, blueprint.ratio_steps)
        layout = blueprint.layout
        self._known: Floats = blueprint.analysis.counts[:, layout.cells].copy()
        if first is not None:
            self._known[0] = first
        self._members = np.flatnonzero(layout.member_of >= 0)
        self._totals: Ints = layout.positions[layout.member_of[self._members]]
        self._share = self._shares()
        self._layers: dict[Layer, Floats] = {}

    def counts(self, key: Layer = OWN) -> Floats:
        """Complete counts of a layer, (S + 1, A); NaN before a cell's first known count."""
        if key not in self._layers:
            self._layers[key] = self._draw(key)
        return self._layers[key]

    def begins(self, key: Layer) -> Ints:
        """The stage of each cell's first known count, which is given and not drawn; -1 for none, (A,)."""
        base = self._base(key)
        base[:, self._members] = base[:, self._totals]
        return np.where(np.isfinite(base).any(axis=0), np.isfinite(base).argmax(axis=0), -1)

    def _groups(self, key: Layer) -> list[Group]:
        by_id = self._blueprint.panel.by_id
        return [g for g in self._blueprint.analysis.groups if layer(by_id[g.statements[0][0]]) == key]

    def _columns(self, group: Group) -> Ints:
        """The cells that a group's first count is of: for a part of a total, the total."""
        cells = group.cells if group.part < 0 else np.array([group.part])
        return self._blueprint.layout.positions[cells]

    def _base(self, key: Layer) -> Floats:
        """The first known count of each cell in a layer at its stage, NaN elsewhere; (S + 1, A)."""
        base = np.full_like(self._known, np.nan)
        if key == OWN:
            base[:] = self._known
        else:
            base[0] = self._known[0]
            for group in self._groups(key):
                whole = (group.end < 0) & (group.start > 0) & (not group.apart)
                base[group.start[whole], self._columns(group)[whole]] = group.n[whole]
        stages = np.arange(len(base))[:, None]
        return np.where(stages == np.isfinite(base).argmax(axis=0), base, np.nan)

    def _rough(self, base: Floats, key: Layer) -> Floats:
        """How far each first count really lies from the middle of its range; a factor, (S + 1, A)."""
        out = np.ones_like(base)
        unknown, loose = self.draws.unknown, self._blueprint.analysis.loose
        for row, at in enumerate(loose_counts(self._blueprint.analysis)):
            stage, cell, of = at
            column = self._blueprint.layout.positions[cell]
            if of == (key if stage else OWN) and column >= 0 and np.isfinite(base[stage, column]):
                low, high = np.log(np.array(loose[at]) / base[stage, column])
                out[stage, column] = np.exp(low + (high - low) * ndtr(unknown["rough_count"][0, row]))
        return out

    def _shares(self) -> Floats:
        """Share of each cell of an unsplit total in the total's units of the first stage, (A,)."""
        mixture, layout = self._blueprint.mixture, self._blueprint.layout
        out = np.zeros(layout.size)
        if mixture is not None:
            logs = self._blueprint.log_shares(mixture, self.draws.unknown, ARRAY)[0]
            inside = mixture.mask & (layout.member_of[mixture.members] == layout.cells[mixture.at][:, None])
            out[mixture.members[inside]] = np.exp(logs[inside])
        return out

    def _split(self, stage: int, totals: Floats) -> tuple[Floats, Floats]:
        """Units of the members of the totals that begin at a stage: as counted, and as expected; both (A,)."""
        whole, mean = np.full(len(totals), np.nan), np.full(len(totals), np.nan)
        reach = self._share * self.rates[:stage].prod(axis=0)
        excess = 0.0
        for step in range(stage):
            if self._blueprint.ratio_steps[step]:
                excess = float(self.draws.phi[0, step] - 1)
        for total in np.unique(self._totals):
            if np.isnan(totals[total]):
                continue
            at = self._members[self._totals == total]
            chance = reach[at] / reach[at].sum()
            mean[at] = totals[total] * chance
            if excess > 1e-6:  # counts of ratio steps vary more than their labels would by chance
                weight = self._rng.gamma(np.maximum(mean[at] / excess, 1e-300))
                chance = weight / weight.sum()
            whole[at] = self._rng.multinomial(int(totals[total]), chance)
        return whole, mean

    def _entry(self, key: Layer) -> _Entry | None:
        """Where other sources enter a layer; None where they do not."""
        if key[0]:
            return None
        blueprint, layout = self._blueprint, self._blueprint.layout
        groups = sorted(self._groups(key), key=lambda g: (g.origin == "between", g.part >= 0, g.stages[0]))
        if not groups:
            return None
        unset = len(blueprint.ratio_steps) + 1
        stage = np.full(layout.size, unset, dtype=np.int64)
        unsure = np.zeros(layout.size, dtype=bool)

        def enter(columns: Ints, group: Group) -> None:
            columns = columns[stage[columns] == unset]
            # A count between two of mixed origin whose first is not out of referrals holds others from the start.
            stage[columns] = 0 if group.origin == "between" else group.stages[0]
            unsure[columns] = group.origin == "unknown"

        for group in groups:
            enter(layout.positions[group.cells], group)
        for group in groups:
            enter(self._members[np.isin(self._totals, self._columns(group))], group)
        places = source_places(blueprint.panel, blueprint.analysis)
        rows = {place: row for row, place in enumerate(places)}
        place = np.array([rows.get(int(j), 0) for j in layout.coordinates[1]], dtype=np.int64)
        settings: Any = blueprint.kind_settings[AllSources.name]
        share = log_share(settings, self.draws.unknown, place[None], unsure[None], ARRAY)[0, 0]
        return _Entry(stage, share, place)

    def _draw(self, key: Layer) -> Floats:
        ratio_steps, rng = self._blueprint.ratio_steps, self._rng
        base, entry = self._base(key), self._entry(key)
        rough = self._rough(base, key)
        concentration = self.draws.concentration[0] if self.draws.concentration is not None else None
        own = self.counts() if entry is not None and not key[1] else None
        counts = np.full_like(base, np.nan)
        current, ratio_so_far = np.full(base.shape[1], np.nan), np.zeros(base.shape[1], dtype=bool)
        expected = current
        for stage in range(len(base)):
            if stage:
                step = stage - 1
                rate, phi = self._rate(step, entry), self.draws.phi[0, step]
                drawn = step_forward(rng, np.nan_to_num(current), rate, ratio_steps[step], phi, concentration)
                drawn = np.where(np.isnan(current), np.nan, drawn)
                if own is not None and entry is not None:
                    drawn = np.where((stage <= entry.stage) & np.isfinite(own[stage]), own[stage], drawn)
                ratio_so_far |= ratio_steps[step] & np.isfinite(current)
                expected = np.where(ratio_so_far, current, expected) * rate
                if entry is not None:
                    drawn = drawn + self._others(entry, stage, expected)
                current = drawn
            begun = np.isfinite(base[stage])
            counts[stage] = np.where(begun, base[stage], current)
            current = np.where(begun, base[stage] * rough[stage], current)
            if begun[self._totals].any():
                totals = np.where(begun, base[stage], np.nan)
                whole, mean = self._split(stage, totals)
                inside = np.isfinite(whole)
                counts[stage, inside] = whole[inside]
                ratio = stage < len(ratio_steps) and ratio_steps[stage]
                mean[self._members] *= rough[stage][self._totals]
                current = np.where(inside, mean if ratio else whole, current)
                expected = np.where(inside, mean, expected)
            expected = np.where(begun | np.isnan(expected), current, expected)
            later = np.isfinite(current[self._members]) & ~begun[self._totals]
            for total in np.unique(self._totals[later]):
                counts[stage, total] = current[total] = current[self._members[self._totals == total]].sum()
        return counts

    def _rate(self, step: int, entry: _Entry | None) -> Floats:
        """Rates of a step, (A,); those of the mixed population where both ends hold it."""
        if entry is None:
            return self.rates[step]
        settings: Any = self._blueprint.kind_settings[AllSources.name]
        offset = settings.offset * self.draws.unknown["source_offset"][0, step, entry.place]
        eta = self.eta[step] + np.where(entry.stage <= step, offset, 0.0)
        return rates_of(eta[None], self._blueprint.ratio_steps[step : step + 1])[0]

    def _others(self, entry: _Entry, stage: int, expected: Floats) -> Floats:
        """Cases of other origins in the counts of a stage, (A,): only where it is the first that holds them."""
        odds = np.where(entry.stage == stage, np.expm1(-entry.log_share), 0.0)
        mean = np.nan_to_num(expected * odds)
        if self._blueprint.ratio_steps[stage - 1]:
            return step_forward(self._rng, mean, np.ones_like(mean), True, self.draws.phi[0, stage - 1])
        return self._rng.poisson(mean).astype(float)
