"""The files of a simulated world: what would have been recorded of it, its plan, and its truth."""

from __future__ import annotations

import io
import json
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ..data.calendar import parse_period
from ..data.errors import InputError, Problem
from ..data.names import LONG_COLUMNS, ROOT
from ..models.worlds import DEFAULT_SPREADS, SUPPRESSED, World, WorldSpec, draw_world
from .starts import PLAN, Start

SOURCE = "simulated"


def parse_kinds(text: str) -> dict[str, float]:
    """``exact,total`` or ``exact:3,total:4`` as weights.

    Raises
    ------
    InputError
        For a weight that is no number.
    """
    weights = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, weight = part.partition(":")
        try:
            weights[name.strip()] = float(weight or 1)
        except ValueError:
            raise InputError(
                Problem("weight of a kind", "--kinds", repr(part), "a number", "e.g. exact:3,total:1")
            ) from None
    return weights


def simulated(spec: WorldSpec) -> Start:
    """Draw a world and lay out its files.

    ``data.csv`` holds the cells seen one by one, ``statements.csv`` the suppressed cells and the
    totals over offenses (absent when there are none), ``truth.parquet`` the rates, ``truth_counts.parquet``
    the counts and ``truth.json`` the levels and spreads they were drawn from.

    Raises
    ------
    InputError
        When no such world can be drawn.
    """
    world = draw_world(spec)
    rest = _statements(world)
    found = {
        "data.csv": _data(world).to_csv(index=False).encode(),
        "truth.parquet": _parquet(_long(world, world.stages[1:], world.rates, "step", "rate")),
        "truth_counts.parquet": _parquet(_long(world, world.stages, world.counts, "stage", "count")),
        "truth.json": (json.dumps(_hyper(world), indent=1) + "\n").encode(),
        PLAN: _plan(world, bool(len(rest))).encode(),
    }
    if len(rest):
        found["statements.csv"] = rest.to_csv(index=False).encode()
    return Start(found)


def _cells(world: World) -> pd.DataFrame:
    names = (world.offense_names, world.jurisdiction_names, world.period_names)
    return pd.DataFrame(list(product(*names)), columns=["offense", "jurisdiction", "period"])


def _data(world: World) -> pd.DataFrame:
    table = _cells(world)
    for stage, shown in zip(world.stages, world.shown(), strict=True):
        flat = shown.ravel()
        table[stage] = pd.array(flat, dtype="Int64")
        table.loc[flat < 0, stage] = pd.NA
    return table


def _statements(world: World) -> pd.DataFrame:
    """Suppressed cells and totals in the long form."""
    offenses, places, periods = world.offense_names, world.jurisdiction_names, world.period_names
    low, high = SUPPRESSED
    rows: list[tuple[Any, ...]] = [
        (places[j], periods[t], offenses[o], world.stages[s], "suppressed", None, low, high)
        for s, o, j, t in np.argwhere(world.suppressed())
    ]
    rows += [
        (places[j], periods[t], ROOT, world.stages[s], "exact", count, None, None)
        for s, j, t, count in world.totals()
    ]
    spans = {period: parse_period(period) for period in periods}
    same = ("report", "referred_only", "cohort", _as_of(world), SOURCE)
    records = []
    for place, period, offense, stage, relation, *numbers in rows:
        span = spans[period]
        assert span is not None
        records.append((place, span.start, span.end, offense, stage, relation, *numbers, *same))
    table = pd.DataFrame(records, columns=list(LONG_COLUMNS))
    return table.astype(dict.fromkeys(("count", "count_low", "count_high"), "Int64"))


def _long(world: World, names: tuple[str, ...], values: Any, first: str, last: str) -> pd.DataFrame:
    cells = _cells(world)
    before = world.stages
    parts = []
    for position, name in enumerate(names):
        part = cells.copy()
        part.insert(0, first, f"{before[position]}-{name}" if first == "step" else name)
        part[last] = values[position].ravel()
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _as_of(world: World) -> str:
    last = parse_period(world.period_names[-1])
    assert last is not None
    return last.end.isoformat()


def _hyper(world: World) -> dict[str, Any]:
    spec = world.spec
    steps = [f"{a}-{b}" for a, b in zip(world.stages, world.stages[1:], strict=False)]
    return {
        "seed": spec.seed,
        "kinds": dict(spec.kinds),
        "silent": spec.silent,
        "mean_referrals": spec.mean_referrals,
        "intercept": dict(zip(steps, spec.intercepts, strict=False)),
        "sd": {step: {name: spec.spreads.get(name, 0.0) for name in DEFAULT_SPREADS} for step in steps},
    }


def _plan(world: World, with_rest: bool) -> str:
    spec = world.spec
    as_of = _as_of(world)
    effects = ["intercept", "offense", "jurisdiction", "time", "offense_jurisdiction", "offense_time", "cell"]
    sizes = {"offense": spec.offenses, "jurisdiction": spec.jurisdictions, "time": spec.periods}
    kept = [name for name in effects if all(sizes.get(part, 2) > 1 for part in name.split("_"))]
    lines = [
        f"# A simulated world: offenses {spec.offenses}, jurisdictions {spec.jurisdictions}, "
        f"quarters {spec.periods}.",
        f"# Seed {spec.seed}. The true rates are in truth.parquet, the true counts in truth_counts.parquet.",
        "format = 1",
        'name = "simulated"',
        "",
        "[funnel]",
        f"stages = {json.dumps(list(world.stages))}",
        "",
        "# The cells that are seen one by one; an empty field is not reported.",
        "[[input]]",
        'file = "data.csv"',
        'form = "wide"',
        f'source_id = "{SOURCE}"',
        f'as_of = "{as_of}"',
        "",
    ]
    if with_rest:
        lines += [
            "# The rest: counts of 1 to 4 suppressed, totals over all offenses.",
            "[[input]]",
            'file = "statements.csv"',
            'form = "long"',
            "",
        ]
    lines += ["[axes]", 'period = "quarter"', "", "# The effects the world was drawn from.", ""]
    for name in kept:
        lines += ["[[effect]]", f'kind = "{name}"', ""]
    return "\n".join(lines)
