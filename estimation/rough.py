"""Denominators that are known within a range: where each draw has them.

A draw says of every such count where in its range it lies. A whole number is then taken for each rough *statement*:
counts of which one is what another leaves agree, and every statement about counts that are all known holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..models import catalogue
from ..models.blueprint import Blueprint
from ..models.contract import Analysis, Floats, Known, ReportKind
from ..models.field import FieldDraws
from ..models.limits import per_unit
from ..models.mixture import loose_counts
from ..models.unsplit import OWN, layer
from .limited import least_units


@dataclass(frozen=True)
class _Limit:
    """Ends of a sum of moves of rough statements, each with its factor."""

    factors: Mapping[str, float]
    low: float
    high: float


def is_rough(analysis: Analysis) -> bool:
    """Does a count of the funnel's own cases stand for a range?"""
    return any(key == OWN for _, _, key in analysis.loose)


def place_rough(blueprint: Blueprint, draws: FieldDraws, counts: Floats) -> None:
    """Move counts from the middle of their ranges to where the draws have them.

    Parameters
    ----------
    blueprint : Blueprint
    draws : FieldDraws
        R of them.
    counts : (R, S + 1, A)
        Known counts of the active cells; changed in place.
    """
    analysis, layout = blueprint.analysis, blueprint.layout
    row_of = {at: row for row, at in enumerate(loose_counts(analysis))}
    facts = [fact for fact in analysis.known if not analysis.slack.keys().isdisjoint(fact.statements)]
    movable = {i for fact in facts if (fact.stage, fact.cell, OWN) in row_of for i in _signs(analysis, fact)}
    limits = [one for one in _limits(blueprint, facts) if not movable.isdisjoint(one.factors)]
    moved: dict[str, Floats] = {i: np.zeros(1) for i in analysis.slack if i not in movable}
    for fact in sorted(facts, key=lambda one: len(_signs(analysis, one))):
        signs = _signs(analysis, fact)
        at = (fact.stage, fact.cell, OWN)
        free = [i for i in signs if i not in moved]
        if free and at in row_of:
            low, high = np.log(analysis.loose[at])
            size = np.exp(low + (high - low) * ndtr(draws.unknown["rough_count"][:, row_of[at]]))
            away = size - fact.count - sum(signs[i] * moved[i] for i in signs if i in moved)
            for place, name in enumerate(free):
                share = _share(analysis, signs, free[place:], away)
                moved[name] = _settled(analysis, name, signs[name] * share, moved, limits)
                away = away - signs[name] * moved[name]
        column = layout.positions[fact.cell]
        if column >= 0:
            counts[:, fact.stage, column] = fact.count + sum(signs[i] * moved.get(i, 0.0) for i in signs)


def _signs(analysis: Analysis, fact: Known) -> dict[str, float]:
    """Whether a count grows or shrinks with each rough statement behind it: all but the first are taken off."""
    return {i: -1.0 if place else 1.0 for place, i in enumerate(fact.statements) if i in analysis.slack}


def _share(analysis: Analysis, signs: Mapping[str, float], free: list[str], away: Floats) -> Floats:
    """What the first of some statements takes of a distance, by the room that each has in that direction."""
    room = np.array([analysis.slack[i][:: int(signs[i])] for i in free])
    part = room[0] / np.maximum(room.sum(axis=0), 1e-300)
    return away * np.where(away > 0, part[1], part[0])


def _limits(blueprint: Blueprint, facts: list[Known]) -> Iterator[_Limit]:
    """What the moves must leave true: counts that hold their outcomes, and statements of sums of known counts."""
    analysis, panel = blueprint.analysis, blueprint.panel
    most, behind = per_unit(panel.funnel), {}
    for fact in facts:
        behind[fact.stage, fact.cell] = signs = _signs(analysis, fact)
        later = np.nan_to_num(analysis.counts[fact.stage + 1 :, fact.cell])
        least = float(least_units(later, most[fact.stage, fact.stage + 1 :]).max(initial=0.0))
        # Units that are known roughly are at least one, lest nothing divide by them.
        yield _Limit(signs, max(least, min(fact.count, 1.0)) - fact.count, np.inf)
    for statement in panel.statements:
        names, stage = blueprint.statement_kinds.get(statement.id), panel.funnel.index(statement.stage)
        if names is None or (stage and layer(statement) != OWN):
            continue
        kind = catalogue.kind(names[0])
        assert isinstance(kind, ReportKind)
        if kind.soft:
            continue
        cells = panel.cells(statement)
        factors: dict[str, float] = {}
        for cell in cells.tolist():
            for name, sign in behind.get((stage, cell), {}).items():
                factors[name] = factors.get(name, 0.0) + sign
        factors = {name: factor for name, factor in factors.items() if factor}
        total = float(analysis.counts[stage, cells].sum())
        if not factors or np.isnan(total):
            continue
        low, high = kind.range(statement, blueprint.kind_settings[kind.name])
        below, above = _reach(analysis, factors)
        # What gave way to a preferred statement need not hold.
        if total + below <= high and total + above >= low:
            yield _Limit(factors, low - total, high - total)


def _reach(analysis: Analysis, factors: Mapping[str, float]) -> tuple[float, float]:
    """How far below and above the middle a sum may come."""
    ends = [(-analysis.slack[i][0] * x, analysis.slack[i][1] * x) for i, x in factors.items()]
    return sum(min(two) for two in ends), sum(max(two) for two in ends)


def _settled(
    analysis: Analysis, name: str, wanted: Floats, moved: Mapping[str, Floats], limits: list[_Limit]
) -> Floats:
    """The whole number nearest to a move that the statement's range and the limits leave, (R,)."""
    below, above = analysis.slack[name]
    low, high = np.full(wanted.shape, -below), np.full(wanted.shape, above)
    for limit in limits:
        if name not in limit.factors:
            continue
        done = sum(x * moved[i] for i, x in limit.factors.items() if i in moved)
        left = {i: x for i, x in limit.factors.items() if i not in moved and i != name}
        least, most = _reach(analysis, left)
        ends = np.stack(np.broadcast_arrays(limit.low - done - most, limit.high - done - least, wanted))[:2]
        ends = np.sort(ends / limit.factors[name], axis=0)
        low, high = np.maximum(low, np.ceil(ends[0])), np.minimum(high, np.floor(ends[1]))
    return np.clip(np.rint(wanted), low, np.maximum(low, high))
