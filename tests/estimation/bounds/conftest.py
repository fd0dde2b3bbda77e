"""Panels from facts, for bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

import pytest

from attrition.data.axes import Axes, Axis, Node
from attrition.data.funnel import Funnel
from attrition.data.names import ROOT
from attrition.data.panel import Panel
from attrition.data.statement import Statement

Fact = tuple[str, str, float, float]
Build = Callable[..., tuple[Panel, dict[str, tuple[float, float]]]]


def axis(name: str, leaves: Sequence[str], parents: Mapping[str, str]) -> Axis:
    """An axis of leaves, under the root unless a parent is named for them."""
    groups = [Node(name, name, ROOT) for name in dict.fromkeys(parents.values())]
    nodes = [Node(leaf, leaf, parents.get(leaf, ROOT)) for leaf in leaves]
    return Axis(name, (Node(ROOT, ROOT, None), *groups, *nodes))


@pytest.fixture(scope="session")
def build() -> Build:
    """Panels over one period, from facts (stage, "offense/jurisdiction", low, high)."""

    def make(
        facts: Sequence[Fact],
        offenses: Sequence[str],
        jurisdictions: Sequence[str] = (),
        stages: tuple[str, ...] = ("referral", "investigation", "arrest"),
        units: Mapping[str, str] | None = None,
        limits: Mapping[str, float] | None = None,
        parents: Mapping[str, str] | None = None,
    ) -> tuple[Panel, dict[str, tuple[float, float]]]:
        axes = Axes(
            axis("offense", offenses, parents or {}),
            axis("jurisdiction", jurisdictions, {}),
            axis("period", (), {}),
        )
        statements = []
        for i, (stage, node, low, high) in enumerate(facts):
            offense, _, place = node.partition("/")
            one = (f"s{i}", stage, offense, place or ROOT, ROOT)
            if low == high:
                statements.append(Statement(*one, "exact", low, file="t.csv", row=i))
            elif high == inf:
                statements.append(Statement(*one, "at_least", low, file="t.csv", row=i))
            else:
                statements.append(Statement(*one, "range", None, low, high, file="t.csv", row=i))
        ranges = {f"s{i}": (low, high) for i, (_, _, low, high) in enumerate(facts)}
        return Panel(Funnel(stages, units or {}, {}, limits or {}), axes, tuple(statements)), ranges

    return make
