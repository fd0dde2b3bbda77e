"""Panels small enough to be worked by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from attrition.data.axes import Axes, Axis, Node
from attrition.data.funnel import Funnel
from attrition.data.names import ROOT
from attrition.data.panel import Panel
from attrition.data.statement import Statement

Fact = tuple[str, str, float, float]
Build = Callable[..., tuple[Panel, dict[str, tuple[float, float]]]]
THREE = {"a": ROOT, "b": ROOT, "c": ROOT}


def axis(name: str, tree: Mapping[str, str]) -> Axis:
    """An axis from names to parents."""
    nodes = [Node(ROOT, ROOT, None), *(Node(child, child, parent) for child, parent in tree.items())]
    return Axis(name, tuple(nodes))


@pytest.fixture(scope="session")
def build() -> Build:
    """Panels over one period, from facts (stage, "offense" or "offense/jurisdiction", low, high).

    The fact at position i has id ``s<i>`` and stands in row i.
    """

    def make(
        facts: Sequence[Fact],
        offenses: Mapping[str, str] = THREE,
        jurisdictions: Mapping[str, str] | None = None,
        stages: tuple[str, ...] = ("referral", "investigation", "arrest"),
        units: Mapping[str, str] | None = None,
        limits: Mapping[str, float] | None = None,
        preferred: Sequence[int] = (),
    ) -> tuple[Panel, dict[str, tuple[float, float]]]:
        axes = Axes(axis("offense", offenses), axis("jurisdiction", jurisdictions or {}), axis("period", {}))
        statements = []
        for i, (stage, node, low, _) in enumerate(facts):
            offense, _, place = node.partition("/")
            one = Statement(f"s{i}", stage, offense, place or ROOT, ROOT, "exact", low, file="t.csv", row=i)
            statements.append(replace(one, preferred="it is the primary one") if i in preferred else one)
        ranges = {f"s{i}": (low, high) for i, (_, _, low, high) in enumerate(facts)}
        funnel = Funnel(stages, units or {}, {}, limits or {})
        return Panel(funnel, axes, tuple(statements)), ranges

    return make
