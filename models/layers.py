"""Layers: counts of other origins or other twelve months are reduced apart, on the same first stage.

A count of every source and a count of cases that began as referrals are counts of different things: neither can be
subtracted from the other. So are a calendar year's and a fiscal year's. The analyser therefore sees one layer at a
time, always with the denominators of the first stage; parts of unsplit totals are added behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..data.errors import InputError, Problem
from ..data.funnel import Funnel
from ..data.lazy import Joined, Lazy
from ..data.names import Origin
from ..data.panel import Panel
from ..data.statement import Statement
from .analyse import analyse
from .clashes import SharedCounts, rows
from .contract import Analysis, Decision, Floats, Group, GroupOrigin, Known, Rough
from .decisions import keep_decisions, keep_facts
from .parts import add_parts
from .unsplit import OWN, Layer, layer

NARROW = 1.5  # a denominator known within this ratio of its ends is conditioned on, with what is left as an unknown
_MEANING = {"used": 4, "residual": 3, "known": 2, "dropped": 1, "unused": 0}


def analyse_layers(panel: Panel, ranges: Mapping[str, tuple[float, float]]) -> Analysis:
    """Analyse each layer and put the analyses together.

    Parameters
    ----------
    panel : Panel
    ranges : mapping of str to (float, float)
        As for ``analyse``.

    Raises
    ------
    InputError
        What the analyses raise, of all layers together.
    """
    first = panel.funnel.stages[0]
    arrangement = panel.arrangement
    aside = set() if arrangement is None else {*arrangement.parts, *arrangement.unplaced}
    hard = [s for s in panel.statements if s.id in ranges and s.id not in aside]
    shared, lost = [s for s in hard if s.stage == first], _beside(panel, hard)
    later = [s for s in hard if s.stage != first and s.id not in lost]
    keys = sorted({layer(s) for s in later}, reverse=True) or [OWN]
    if keys == [OWN] and not lost and arrangement is None:
        return analyse(panel, ranges)
    parts = [
        replace(
            panel,
            funnel=panel.funnel if key[0] else _open(panel.funnel),
            statements=(*shared, *(s for s in later if layer(s) == key)),
        )
        for key in keys
    ]
    outcomes: set[str] = set()  # rough counts that stay ranges, since they are of units counted before
    while True:
        middle, slack = _middles(panel, hard, ranges, outcomes)
        rough = [panel.by_id[i] for i in slack if panel.by_id[i].stage != first]
        try:
            apart = _analysed(parts, middle, slack)
        except InputError:
            if not rough:
                raise
            more = {s.id for s in rough}
        else:
            more = {i for part, one in zip(parts, apart, strict=True) for i in _spoken(part, one, rough)}
            if not more:
                break
        outcomes |= more
    found = list(zip(keys, parts, apart, strict=True))
    merged = _merge(panel, found, lost, slack)
    return add_parts(panel, merged, {key: analysis for key, _, analysis in found}, ranges)


def _analysed(
    parts: Sequence[Panel],
    middle: Mapping[str, tuple[float, float]],
    slack: Mapping[str, tuple[float, float]],
) -> list[Analysis]:
    """The analysis of each layer; what they raise is of all layers together."""
    found: list[Analysis] = []
    problems: list[Problem] = []
    refused: list[Problem] = []
    for part in parts:
        try:
            found.append(analyse(part, middle, slack))
        except SharedCounts as error:
            refused += error.problems
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    if refused:
        raise SharedCounts(dict.fromkeys(refused))
    return found


def _spoken(part: Panel, analysis: Analysis, rough: Sequence[Statement]) -> list[str]:
    """Rough counts that a density of their own stage would take for exact: it is of them, or of what they leave."""
    here = [s for s in rough if s.id in part.by_id]
    if not here:
        return []
    cells: dict[str, set[int]] = {stage: set() for stage in part.funnel.stages}
    for group in analysis.groups:
        for told in (part.by_id[i] for ids in group.statements for i in ids):
            cells[told.stage].update(part.cells(told).tolist())
    return [s.id for s in here if not cells[s.stage].isdisjoint(part.cells(s).tolist())]


def _open(funnel: Funnel) -> Funnel:
    """A funnel whose first stage limits nothing: counts that hold other cases may exceed the referrals."""
    first = funnel.stages[0]

    def kept[T](section: Mapping[str, T]) -> dict[str, T]:
        return {name: value for name, value in section.items() if not name.startswith(f"{first}-")}

    units = {stage: funnel.classes(stage) for stage in funnel.stages[1:]}
    units[first] = ("a referral among others",)
    return Funnel(funnel.stages, units, kept(funnel.assume_one_to_one), kept(funnel.max_per_unit))


def _middles(
    panel: Panel,
    hard: Sequence[Statement],
    ranges: Mapping[str, tuple[float, float]],
    outcomes: Collection[str],
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Denominators known within a narrow range, put at its middle, and how far below and above it the range reaches.

    Those among ``outcomes`` are none; the others serve on ratio paths alone, where a mean is proportional to its
    denominator.
    """
    middle, slack = dict(ranges), {}
    base: dict[tuple[str, str, str, Layer | None], int] = {}
    first = panel.funnel.stages[0]
    for s in hard:
        stage = panel.funnel.index(s.stage)
        key = (s.offense, s.jurisdiction, s.period, None if stage == 0 else layer(s))
        base[key] = min(stage, base.get(key, stage))
    for s in hard:
        low, high = ranges[s.id]
        stage = panel.funnel.index(s.stage)
        if not (0 < low < high <= NARROW * low) or stage + 1 >= len(panel.funnel.stages):
            continue
        place = (s.offense, s.jurisdiction, s.period)
        starts = s.stage == first or ((*place, None) not in base and base[(*place, layer(s))] == stage)
        if starts and s.id not in outcomes and panel.funnel.steps[stage].kind == "ratio":
            centre = float(np.rint(np.sqrt(low * high)))
            middle[s.id], slack[s.id] = (centre, centre), (centre - low, high - centre)
    return middle, slack


def _beside(panel: Panel, hard: Sequence[Statement]) -> dict[str, Decision]:
    """Counts of mixed origin beside referral-only counts of the same cells and months: the two share cases."""
    first = panel.funnel.stages[0]
    if all(s.origin == "referred_only" for s in hard):
        return {}
    held: dict[int, list[str]] = {}
    for s in hard:
        if s.stage != first and s.origin == "referred_only" and not s.shifted:
            for cell in panel.cells(s).tolist():
                held.setdefault(cell, []).append(s.id)
    lost: dict[str, Decision] = {}
    for s in hard:
        if s.stage == first or s.origin == "referred_only" or s.shifted:
            continue
        others = [i for cell in panel.cells(s).tolist() for i in held.get(cell, ())]
        if others:
            reason = (
                f"{rows(panel, others)} counts only cases that began as referrals; this holds them and others, "
                "and the two share unobserved counts"
            )
            lost[s.id] = Decision(s.id, "unused", reason, tuple(dict.fromkeys(others)))
    return lost


def _merge(
    panel: Panel,
    found: Sequence[tuple[Layer, Panel, Analysis]],
    lost: Mapping[str, Decision],
    slack: Mapping[str, tuple[float, float]],
) -> Analysis:
    """One analysis: referral-only counts of the year itself are the funnel's, the others only have groups."""
    counts = np.full(found[0][2].counts.shape, np.nan)
    weights = counts.copy()
    known: dict[tuple[int, int], Known] = {}
    groups: list[Sequence[Group]] = []
    decisions: dict[str, Decision] = dict(lost)
    loose: dict[Rough, tuple[float, float]] = {}
    problems: list[Problem] = []
    for key, part, analysis in found:
        referred = key[0]
        rows_kept = slice(None) if key == OWN else slice(0, 1)
        counts[rows_kept] = np.where(
            np.isnan(counts[rows_kept]), analysis.counts[rows_kept], counts[rows_kept]
        )
        weights = np.where(np.isnan(weights), analysis.counts, weights)
        for fact in analysis.known:
            if key == OWN or fact.stage == 0:
                known.setdefault((fact.stage, fact.cell), fact)
            if (ends := _loosened(fact, slack)) is not None:
                loose[fact.stage, fact.cell, key if fact.stage else OWN] = ends
        # A group begins as one of referrals.
        origins = [] if referred else [_origin(part, group) for group in analysis.groups]
        groups.append(analysis.groups if referred else Lazy(_tagged, analysis.groups, origins))
        for group in () if referred else analysis.groups:
            names = [name for stage in group.statements for name in stage]
            if group.members is not None:
                problems.append(
                    Problem(
                        "totals of mixed origin that cross",
                        rows(panel, names),
                        do="leave some of them out with [[exclude]] until none crosses another",
                    )
                )
            if (group.end >= 0).any():
                problems.append(
                    Problem(
                        "a sum of mixed origin between known stages",
                        rows(panel, names),
                        do="leave it or the later count out with [[exclude]]",
                    )
                )
        for decision in analysis.decisions:
            before = decisions.get(decision.statement)
            if before is None or _MEANING[decision.action] > _MEANING[before.action]:
                decisions[decision.statement] = decision
    if problems:
        raise SharedCounts(problems)
    ordered = keep_decisions(decisions[s.id] for s in panel.statements if s.id in decisions)
    return Analysis(counts, keep_facts(known.values()), Joined(*groups), ordered, loose, weights, slack)


def _tagged(group: Group, origin: GroupOrigin) -> Group:
    return replace(group, origin=origin)


def _loosened(fact: Known, slack: Mapping[str, tuple[float, float]]) -> tuple[float, float] | None:
    """The range of a known count that statements with ranges determine; None where none of them has one."""
    down = up = 0.0
    for place, name in enumerate(fact.statements):
        if name in slack:
            below, above = slack[name]
            # What is subtracted moves the residual the other way.
            down += below if place == 0 else above
            up += above if place == 0 else below
    return (max(fact.count - down, 1.0), fact.count + up) if up and fact.count > 0 else None


def known_ends(analysis: Analysis) -> tuple[Floats, Floats]:
    """Least and greatest of every known count of the funnel's own cases, (stages, cells) each; NaN where none is known.

    They differ where a count stands for a range.
    """
    low, high = analysis.counts.copy(), analysis.counts.copy()
    for (stage, cell, key), (least, most) in analysis.loose.items():
        if key == OWN:
            # Denominators are kept at 1 at least; of a remainder the data may leave nothing.
            low[stage, cell], high[stage, cell] = (least if least > 1 else 0.0), most
    return low, high


def _origin(panel: Panel, group: Group) -> GroupOrigin:
    """How other sources enter a group of a mixed layer."""
    if (group.start > 0).any():
        return "between"
    origins: set[Origin] = {panel.by_id[name].origin for name in group.statements[0]}
    return "unknown" if origins == {"unknown"} else "all_sources"


def own_cases(group: Group, panel: Panel) -> bool:
    """Does a group count the funnel's own cases of its own year, whole cells of them?

    Others inform rates and not counts: reports of every source, of other twelve months, of parts of an unsplit total,
    and published rates.
    """
    behind = [panel.by_id[name] for stage in group.statements for name in stage]
    soft = any(one.shifted or one.share_of is not None for one in behind)
    return group.origin == "referred" and group.part < 0 and not soft
