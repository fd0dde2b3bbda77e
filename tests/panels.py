"""Panels from facts, and the probability of what they state by enumeration of every complete count."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import binom

from attrition.data.axes import Axes, Axis, Node
from attrition.data.funnel import Funnel
from attrition.data.names import ROOT
from attrition.data.panel import Panel
from attrition.data.statement import Statement
from attrition.estimation.predictive import log_likelihood
from attrition.models.blueprint import Blueprint, make_blueprint
from attrition.models.field import FieldDraws
from attrition.models.spec import PriorSpec, read_effects, read_kinds

STAGES = ("referral", "investigation", "arrest")
ROUND = 5  # base of the relation "rounded" by default
Fact = tuple[str | float, ...]  # stage, "offense/jurisdiction/period", relation, number or low, high


def axis(name: str, leaves: Sequence[str] | Mapping[str, str]) -> Axis:
    """An axis of leaves under the root, or of nodes with their parents."""
    parents = leaves if isinstance(leaves, Mapping) else dict.fromkeys(leaves, ROOT)
    return Axis(name, (Node(ROOT, ROOT, None), *(Node(child, child, up) for child, up in parents.items())))


def statement(number: int, fact: Fact) -> Statement:
    """One statement; parts of the node that are left out are the root."""
    stage, node, relation, *values = fact
    offense, jurisdiction, period = [*str(node).split("/"), ROOT, ROOT][:3]
    where = (f"s{number}", str(stage), offense or ROOT, jurisdiction or ROOT, period or ROOT, str(relation))
    source = {"file": "t.csv", "row": number, "source_id": "t"}
    if relation in ("range", "suppressed"):
        values = [None, *values]
    numbers = (None if value is None else float(value) for value in values)
    return Statement(*where, *numbers, **source)  # type: ignore[arg-type]


def make_panel(
    facts: Sequence[Fact],
    offenses: Sequence[str] | Mapping[str, str] = (),
    jurisdictions: Sequence[str] | Mapping[str, str] = (),
    periods: Sequence[str] | Mapping[str, str] = (),
    stages: tuple[str, ...] = STAGES,
    units: Mapping[str, str] | None = None,
) -> Panel:
    """A panel; the fact at position i has id ``s<i>``."""
    axes = Axes(axis("offense", offenses), axis("jurisdiction", jurisdictions), axis("period", periods))
    return Panel(Funnel(stages, units or {}), axes, tuple(statement(i, f) for i, f in enumerate(facts)))


def bind(
    panel: Panel,
    effects: Sequence[str | dict[str, object]] | None = None,
    prior: PriorSpec | None = None,
    kinds: Mapping[str, Mapping[str, object]] | None = None,
) -> Blueprint:
    """A blueprint with the given effects (names or plan entries), the default ones for None, and settings of kinds."""
    entries = None if effects is None else [{"kind": e} if isinstance(e, str) else e for e in effects]
    found, problems = read_effects(entries)
    settings, more = read_kinds(kinds or {})
    assert not problems
    assert not more
    return make_blueprint("test", panel, found, prior or PriorSpec(), settings)


def group_logp(
    blueprint: Blueprint, eta: np.ndarray, phi: float = 1.0, unknown: Mapping[str, float] | None = None
) -> dict[int, float]:
    """Log probability of every group of the analysis, by its position; eta (S, A).

    ``unknown``: one value for all coordinates of a name; 0 for the others.
    """
    steps = len(blueprint.ratio_steps)
    factor = np.where(blueprint.ratio_steps, phi, 1.0)[None]
    z = {one.name: np.full((1, *one.shape), (unknown or {}).get(one.name, 0.0)) for one in blueprint.unknowns}
    draws = FieldDraws(np.zeros((1, steps)), {}, {}, factor, unknown=z)
    logs = log_likelihood(blueprint, eta[None], draws)[0]
    numbers = [number for batch in blueprint.batches for number in batch.groups]
    return dict(zip(numbers, logs, strict=True))


def fits(total: np.ndarray, s: Statement) -> np.ndarray:
    """Would a total have been reported so? Written from the words of the relations, not from the kinds."""
    if s.low is not None:
        return (total >= s.low) & (total <= (math.inf if s.high is None else s.high))
    assert s.count is not None
    if s.relation == "rounded":
        return np.floor(total / ROUND + 0.5) * ROUND == s.count
    if s.relation == "approx":
        digits = str(int(s.count))
        grain = max(10 ** (len(digits) - len(digits.rstrip("0"))), s.count / 100, 2)
        return (total >= s.count - grain / 2) & (total < s.count + grain / 2)
    compare: dict[str, Callable[..., np.ndarray]] = {
        "exact": np.equal,
        "closed": np.equal,
        "at_least": np.greater_equal,
        "at_most": np.less_equal,
    }
    return compare[s.relation](total, s.count)


def complete_tables(n: Sequence[int], rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every complete count of some cells and its probability, on probability steps.

    Parameters
    ----------
    n : (m,)
        First-stage counts.
    rates : (S, m)

    Returns
    -------
    counts : (K, S + 1, m)
    probability : (K,)
    """
    per_cell = []
    for k, units in enumerate(n):
        paths = [((int(units),), 1.0)]
        for rate in rates[:, k]:
            paths = [
                ((*path, y), p * binom.pmf(y, path[-1], rate))
                for path, p in paths
                for y in range(path[-1] + 1)
            ]
        per_cell.append(paths)
    found = list(itertools.product(*per_cell))
    counts = np.array([[path for path, _ in combination] for combination in found], dtype=float)
    return counts.transpose(0, 2, 1), np.array([math.prod(p for _, p in c) for c in found])


def stated(
    panel: Panel, cells: Sequence[int], counts: np.ndarray, statements: Sequence[Statement]
) -> np.ndarray:
    """Which complete counts (K, S + 1, m) of some cells agree with every statement, (K,)."""
    at = {cell: place for place, cell in enumerate(cells)}
    good = np.ones(len(counts), dtype=bool)
    for s in statements:
        columns = [at[int(cell)] for cell in panel.cells(s)]
        good &= fits(counts[:, panel.funnel.index(s.stage)][:, columns].sum(axis=1), s)
    return good
