"""One panel with every way of being partly observed, and the log density of each of its groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from pytensor.compile.mode import Mode, get_mode
from scipy.special import ndtri

from attrition.data.panel import Panel
from attrition.estimation.engines.density import Density, make_density
from attrition.models.blueprint import Blueprint
from attrition.models.compile import CompiledModel, compile_model
from attrition.models.field_graph import effect_name

from ..panels import Fact, bind, group_logp, make_panel
from .cases import CASES, OFFENSES, Case, facts_of


@dataclass(frozen=True)
class Everything:
    """Every report of every case, in a jurisdiction of its own.

    Parameters
    ----------
    rates : mapping of case name to (S, m)
        Step rates of the case's cells, the same in all of its jurisdictions.
    logp : mapping of jurisdiction to float
        Log density of all of its groups.
    kinds : mapping of jurisdiction to the names of the kinds that shape its groups.
    """

    panel: Panel
    blueprint: Blueprint
    places: dict[str, list[str]]
    rates: dict[str, np.ndarray]
    logp: dict[str, float]
    kinds: dict[str, set[str]]


def place_of(case: Case, number: int) -> str:
    """The jurisdiction of a report."""
    return f"{case.name} {number}"


@pytest.fixture(scope="session")
def everything() -> Everything:
    facts: list[Fact] = []
    places: dict[str, list[str]] = {}
    for case in CASES:
        places[case.name] = [place_of(case, i) for i in range(len(case.reports))]
        for place, report in zip(places[case.name], case.reports, strict=True):
            facts += facts_of(case, report, place)
    names = [name for each in places.values() for name in each]
    panel = make_panel(facts, OFFENSES, names)
    blueprint = bind(panel, ["intercept"])

    rng = np.random.default_rng(7)
    offense, jurisdiction, _ = blueprint.layout.coordinates
    eta = np.empty((2, blueprint.layout.size))
    rates: dict[str, np.ndarray] = {}
    for case in CASES:
        logits = rng.normal(0.0, 1.2, (2, 3))
        rates[case.name] = 1 / (1 + np.exp(-logits[:, : len(case.n)]))
        here = np.isin(np.array(names)[jurisdiction], places[case.name])
        eta[:, here] = logits[:, offense[here]]

    logp: dict[str, float] = defaultdict(float)
    kinds: dict[str, set[str]] = defaultdict(set)
    values = group_logp(blueprint, eta)
    for batch in blueprint.batches:
        for number in batch.groups:
            cell = int(blueprint.analysis.groups[number].cells[0])
            place = panel.axes.cell_names(cell)[1]
            logp[place] += values[number]
            kinds[place] |= {batch.report, *batch.parts}
    return Everything(panel, blueprint, places, rates, logp, kinds)


@dataclass(frozen=True)
class Compiled:
    """A compiled panel: its model, the sampler's function, and PyMC's own density, interpreted."""

    compiled: CompiledModel
    density: Density
    interpreted: Callable[[dict[str, np.ndarray]], float]

    @property
    def blueprint(self) -> Blueprint:
        return self.compiled.blueprint

    def split(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The free variables at a joined unconstrained point, on the scales on which they are sampled."""
        named = {name: values[0] for name, values in self.density.expand(x[None]).items()}
        point = {name: named[name] for name in ("intercept", "spread", "z")}
        if "phi_excess" in named:
            # Of an exponential number the normal score is a normal coordinate.
            point["phi_excess_score__"] = -ndtri(np.exp(-named["phi_excess"]))
        return point

    def points(self, number: int, scale: float = 0.5) -> np.ndarray:
        """Random points around the start, (number, size)."""
        rng = np.random.default_rng(number)
        return self.density.start + rng.normal(0.0, scale, (number, self.density.size))


def compile_all(blueprint: Blueprint) -> Compiled:
    compiled = compile_model(blueprint)
    free = tuple(variable.name for variable in compiled.model.free_RVs)
    names = (*compiled.hyper, *(effect_name(block) for block in compiled.blocks), *free)
    mode = Mode("py", get_mode("FAST_COMPILE").provided_optimizer)
    density = make_density(compiled, tuple(dict.fromkeys(names)))
    return Compiled(compiled, density, compiled.model.compile_logp(mode=mode))


MIXED = (
    "exact", "skipped", "total", "totals at two stages", "total less a known cell", "suppressed",
    "at least, at most, of a sum", "range of a total, skipped", "range before a known stage",
    "total, arrests of one cell", "total and range of totals",
)  # fmt: skip


@pytest.fixture(scope="session")
def mixed() -> Compiled:
    """Reports of every kind, over three periods, with the default effects and so the cell effect."""
    facts: list[Fact] = []
    periods = ("2021", "2022", "2023")
    cases = [case for case in CASES if case.name in MIXED]
    for number, case in enumerate(cases):
        report = case.reports[len(case.reports) // 2]
        facts += facts_of(case, report, f"{case.name}/{periods[number % 3]}")
    return compile_all(bind(make_panel(facts, OFFENSES, [case.name for case in cases], periods)))


@pytest.fixture(scope="session")
def ratio() -> Compiled:
    """Several persons a report: exact, in a narrow range, skipped and summed, summed in a wide range."""
    facts: list[Fact] = []
    later: dict[str, list[Fact]] = {
        "A": [("investigation", "a", "exact", 9), ("arrest", "a", "exact", 14)],
        "B": [("investigation", "a", "exact", 9), ("arrest", "a", "range", 3, 8)],
        "C": [("arrest", "ab", "exact", 23)],
        "D": [("investigation", "a", "exact", 6), ("investigation", "b", "exact", 9), ("arrest", "ab", "at_least", 5)],
    }  # fmt: skip
    for place, told in later.items():
        facts += [("referral", f"{o}/{place}", "exact", 12) for o in "ab"]
        facts += [(stage, f"{node}/{place}", *rest) for stage, node, *rest in told]
    units = {"referral": "report", "investigation": "report", "arrest": "person"}
    panel = make_panel(facts, OFFENSES, list(later), units=units)
    return compile_all(bind(panel, ["intercept", "offense", "jurisdiction"]))
