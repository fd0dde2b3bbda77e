"""The blueprint: a plan bound to a panel, every default explicit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import BaseModel

from ..data.errors import InputError, Problem
from ..data.lazy import Joined
from ..data.panel import Panel
from . import catalogue
from .batches import Batch
from .bind import bind
from .clashes import SharedCounts
from .contract import Addition, Analysis, Decision, Floats, Group, Ints, PartKind, ReportKind, Unknown
from .field import FieldDraws, draw_block
from .layers import analyse_layers
from .layout import Layout, make_layout
from .mixture import Mixture, extend, log_shares, make_mixture
from .paths import ARRAY, Ops, categories
from .spec import PriorSpec
from .terms import Block, Concentration, Effect, Settings


@dataclass(frozen=True)
class Blueprint:
    """Everything an engine needs, and nothing it may choose.

    Parameters
    ----------
    name : str
    panel : Panel
    analysis : Analysis
    layout : Layout
    effects : tuple of (Effect, Settings)
    blocks : tuple of Block
        The non-empty blocks of the field, in order.
    concentration : Concentration or None
        Beta-binomial overdispersion.
    prior : PriorSpec
    kind_settings : mapping of kind name to its settings
    batches : tuple of Batch
    statement_kinds : mapping of statement id to the names of the kinds that claim it
    unclaimed : mapping of statement id to the reason why no kind reads it
    mixture : Mixture or None
        The unsplit totals.
    unknowns : tuple of Unknown
        Standard normal coordinates of what the kinds do not know.
    because : mapping of effect name to str
        Why the data put it into the rate, or left it out, where that is for the data to decide.
    additions : tuple of Addition
        Terms that the kinds add to rates; their coordinates are among the unknowns.
    """

    name: str
    panel: Panel
    analysis: Analysis
    layout: Layout
    effects: tuple[tuple[Effect, Settings], ...]
    blocks: tuple[Block, ...]
    concentration: Concentration | None
    prior: PriorSpec
    kind_settings: Mapping[str, BaseModel]
    batches: tuple[Batch, ...]
    statement_kinds: Mapping[str, tuple[str, ...]]
    unclaimed: Mapping[str, str]
    mixture: Mixture | None
    unknowns: tuple[Unknown, ...]
    because: Mapping[str, str] = field(default_factory=dict)
    additions: tuple[Addition, ...] = ()

    @property
    def ratio_steps(self) -> tuple[bool, ...]:
        """For each step, whether it is a ratio."""
        return tuple(step.kind == "ratio" for step in self.panel.funnel.steps)

    @property
    def shared(self) -> tuple[Block, ...]:
        """Blocks that share the total spread."""
        return tuple(block for block in self.blocks if block.sd is None)

    def added(self, eta: Any, cells: Ints, unknown: Mapping[str, Any]) -> Any:
        """Linear predictors (…, S, N) of some cells with the terms that the kinds add to them."""
        for one in self.additions:
            eta = eta + one.scale[:, cells] * unknown[one.name][..., None]
        return eta

    def extended(self, eta: Any, unknown: Mapping[str, Any], ops: Ops) -> tuple[Any, Any]:
        """The field (…, S, A) with the rates of unsplit totals put in, and the predictors of their parts (…, Q)."""
        if self.mixture is None:
            return eta, None
        return extend(eta, self.log_shares(self.mixture, unknown, ops), self.mixture, self.ratio_steps, ops)

    def log_shares(self, mixture: Mixture, unknown: Mapping[str, Any], ops: Ops) -> Any:
        """Log shares of the cells of unsplit totals under the plan's mix, (…, P, K)."""
        settings: Any = self.kind_settings["missing_denominator"]
        return log_shares(mixture, settings.factor, settings.shared, unknown, ops)

    def predictor(self, draws: FieldDraws, leave_out: Sequence[str] = ()) -> Floats:
        """Linear predictors of the active step-cells under draws of the field, (R, S, A)."""
        eta = draws.eta(self.blocks, self.layout, leave_out)
        eta = self.added(eta, self.layout.cells, draws.unknown)
        return self.extended(eta, draws.unknown, ARRAY)[0]

    def gathered(self, batch: Batch, eta: Floats, unknown: Mapping[str, Floats]) -> Floats:
        """Linear predictors along the paths of a batch, (R, S, m, L), from those of the step-cells (R, S, A)."""
        flat = eta.reshape(len(eta), -1)
        if batch.slots.max(initial=0) >= flat.shape[1]:
            _, parts = self.extended(eta, unknown, ARRAY)
            flat = np.concatenate([flat, parts], axis=1)
        return self.shifted(flat[:, batch.slots], batch, unknown, ARRAY)

    def shifted(self, eta: Any, batch: Batch, unknown: Mapping[str, Any], ops: Ops) -> Any:
        """Predictors along paths, changed by what the kinds of a batch do not know."""
        for name in batch.parts:
            kind = catalogue.kind(name)
            assert isinstance(kind, PartKind)
            eta = kind.shift(eta, batch, self.kind_settings[name], unknown, ops)
        return eta

    def chances(self, batch: Batch, eta: Floats, unknown: Mapping[str, Floats]) -> Floats:
        """Log chances of the categories of each unit on the probability paths of a batch, (R, S, m, D + 1)."""
        log_pi = categories(eta, batch, ARRAY)
        for name in batch.parts:
            kind = catalogue.kind(name)
            assert isinstance(kind, PartKind)
            log_pi = kind.chances(log_pi, eta, batch, self.kind_settings[name], unknown, ARRAY)
        return log_pi

    def prior_draws(self, rng: np.random.Generator, size: int, units: Ints | None = None) -> FieldDraws:
        """Independent draws from the prior, by forward simulation in NumPy.

        Of effects of single cells those of some ``units`` are kept, by default of all.
        """
        hyper = self.prior_scales(rng, size)
        values = {
            block.name: draw_block(rng, block, hyper.sd[block.name], self.layout, units=units)
            for block in self.blocks
        }
        unknown = {one.name: rng.standard_normal((size, *one.shape)) for one in self.unknowns}
        return replace(hyper, values=values, unknown=unknown)

    def prior_at(self, rng: np.random.Generator, size: int, positions: Ints) -> Floats:
        """Linear predictors of the active cells at some positions under ``prior_draws``, (R, S, N)."""
        if self.mixture is not None:  # a total needs the cells it is made of
            return self.predictor(self.prior_draws(rng, size))[..., positions]
        few = self.layout.take(positions)
        draws = self.prior_draws(rng, size, few.unit)
        few = replace(few, unit=np.arange(few.size))
        return self.added(draws.eta(self.blocks, few), few.cells, draws.unknown)

    def prior_scales(self, rng: np.random.Generator, size: int) -> FieldDraws:
        """Draws of locations, scales and dispersions from the prior, without the field."""
        steps = self.panel.funnel.steps
        shape = (size, len(steps))
        intercept = np.stack(
            [
                self.prior.intercept_of(s.name).sample(rng, (size,), r)
                for s, r in zip(steps, self.ratio_steps, strict=True)
            ],
            axis=1,
        )
        total = np.abs(rng.normal(0.0, self.prior.spread, shape))
        shares = rng.dirichlet(np.ones(max(len(self.shared), 1)), shape)
        sd = {block.name: total * np.sqrt(shares[..., i]) for i, block in enumerate(self.shared)}
        sd |= {block.name: block.sd.sample(rng, shape) for block in self.blocks if block.sd is not None}
        excess = self.prior.phi.sample(rng, shape)
        concentration = (
            np.exp(self.concentration.prior.sample(rng, (size,))) if self.concentration is not None else None
        )
        return FieldDraws(intercept, sd, {}, 1 + excess * np.array(self.ratio_steps), concentration, total)


def make_blueprint(
    name: str,
    panel: Panel,
    effects: tuple[tuple[Effect, Settings], ...],
    prior: PriorSpec,
    kind_settings: Mapping[str, BaseModel],
) -> Blueprint:
    """Bind a plan to a panel.

    Raises
    ------
    InputError
        Contradictory statements, statements that no density can combine, or none that carries information.
    """
    claimed, unclaimed = claim(panel)
    problems = [*_unread(panel, claimed), *prior.problems(panel.funnel)]
    if problems:
        raise InputError(problems)
    analysis = _analyse(panel, claimed, kind_settings)
    analysis = _add_soft(panel, analysis, claimed, kind_settings)
    if not analysis.groups:
        raise InputError(_nothing_informs(panel, analysis))
    # Groups are asked for again and again until they are bound.
    stored, analysis = analysis, replace(analysis, groups=list(analysis.groups))
    terms = [term for effect, settings in effects for term in effect.terms(settings, panel.axes)]
    blocks = [term.bound(panel, analysis) for term in terms if isinstance(term, Block)]
    concentration = next((term for term in terms if isinstance(term, Concentration)), None)
    layout = make_layout(panel, analysis)
    parts = catalogue.part_kinds()
    additions = tuple(
        one for kind in parts for one in kind.additions(panel, analysis, kind_settings[kind.name])
    )
    batches = bind(analysis, panel, layout, claimed)
    if concentration is not None and any(b.report != "exact" or b.parts or b.ratio for b in batches):
        raise InputError(
            Problem(
                "beta-binomial counts are not closed under sums, ranges and skipped steps",
                'plan, [[effect]] kind = "cell"',
                "statements that are not exact counts of single cells",
                "",
                'use form = "logit_normal"',
            )
        )
    return Blueprint(
        name=name,
        panel=panel,
        analysis=stored,
        layout=layout,
        effects=effects,
        blocks=tuple(block for block in blocks if not block.empty),
        concentration=concentration,
        prior=prior,
        kind_settings=kind_settings,
        batches=batches,
        statement_kinds=_kinds_of(panel, analysis, batches, claimed),
        unclaimed=unclaimed,
        mixture=make_mixture(panel, layout, analysis.groups),
        unknowns=(
            *(one for kind in parts for one in kind.unknowns(panel, analysis)),
            *(Unknown(one.name, (layout.steps,)) for one in additions),
        ),
        because={block.name: block.slope.because for block in blocks if block.slope is not None},
        additions=additions,
    )


def contradictions(panel: Panel, kind_settings: Mapping[str, BaseModel]) -> tuple[Problem, ...]:
    """What of a panel cannot all be true; statements that only share unobserved counts contradict nothing."""
    claimed, _ = claim(panel)
    problems = _unread(panel, claimed)
    if problems:
        return tuple(problems)
    try:
        _analyse(panel, claimed, kind_settings)
    except SharedCounts:
        return ()
    except InputError as error:
        return error.problems
    return ()


def _unread(panel: Panel, claimed: Mapping[str, ReportKind]) -> list[Problem]:
    """What the report kinds find wrong with the statements they claim."""
    return [
        problem
        for kind in catalogue.report_kinds()
        for problem in kind.problems(
            [s for s in panel.statements if s.id in claimed and claimed[s.id].name == kind.name], panel
        )
    ]


def _ranges(
    panel: Panel, claimed: Mapping[str, ReportKind], kind_settings: Mapping[str, BaseModel]
) -> dict[str, tuple[float, float]]:
    """The inclusive range that its kind reads from each hard statement."""
    return {
        s.id: claimed[s.id].range(s, kind_settings[claimed[s.id].name])
        for s in panel.statements
        if s.id in claimed and not claimed[s.id].soft
    }


def _analyse(
    panel: Panel, claimed: Mapping[str, ReportKind], kind_settings: Mapping[str, BaseModel]
) -> Analysis:
    """The hard statements, those that a part kind reads by itself after all others."""
    ranges = _ranges(panel, claimed, kind_settings)
    kinds = catalogue.part_kinds()
    aside = [kind.aside(panel, ranges, kind_settings[kind.name]) for kind in kinds]
    taken: frozenset[str] = frozenset().union(*aside)
    left = {name: ends for name, ends in ranges.items() if name not in taken}
    analysis = analyse_layers(panel, left)
    for kind, names in zip(kinds, aside, strict=True):
        if names:
            groups, decisions = kind.groups(panel, analysis, ranges, kind_settings[kind.name])
            analysis = replace(
                analysis,
                groups=Joined(analysis.groups, groups),
                decisions=Joined(analysis.decisions, decisions),
            )
    return analysis


def _add_soft(
    panel: Panel,
    analysis: Analysis,
    claimed: Mapping[str, ReportKind],
    kind_settings: Mapping[str, BaseModel],
) -> Analysis:
    """The analysis with the groups of soft reports, which share no counts with anything."""
    groups: list[Group] = []
    decisions: list[Decision] = []
    for statement in panel.statements:
        kind = claimed.get(statement.id)
        if kind is None or not kind.soft:
            continue
        made = kind.group(statement, panel, analysis, kind_settings[kind.name])
        if isinstance(made, Group):
            groups.append(made)
            decisions.append(Decision(statement.id, "used", "a published rate, read softly"))
        else:
            decisions.append(made)
    return replace(
        analysis, groups=Joined(analysis.groups, groups), decisions=Joined(analysis.decisions, decisions)
    )


def claim(panel: Panel) -> tuple[dict[str, ReportKind], dict[str, str]]:
    """The one report kind of each statement, and the reasons why some have none."""
    reports = catalogue.report_kinds()
    origins = {"referred_only"} | {origin for kind in catalogue.kinds() for origin in kind.origins}
    claimed: dict[str, ReportKind] = {}
    unclaimed: dict[str, str] = {}
    nowhere = panel.arrangement.unplaced if panel.arrangement is not None else {}
    for statement in panel.statements:
        if statement.id in nowhere:
            unclaimed[statement.id] = nowhere[statement.id]
            continue
        takers = [kind for kind in reports if kind.claims(statement, panel)]
        if panel.funnel.index(statement.stage) > 0 and statement.origin not in origins:
            unclaimed[statement.id] = (
                f"its origin is {statement.origin}: it may hold cases that did not begin as referrals, "
                "and no kind in use separates them"
            )
        elif not takers:
            unclaimed[statement.id] = f"no kind in use reads the relation {statement.relation}"
        else:
            assert len(takers) == 1, f"{statement.id} is claimed by {[kind.name for kind in takers]}"
            claimed[statement.id] = takers[0]
    return claimed, unclaimed


def _kinds_of(
    panel: Panel, analysis: Analysis, batches: Sequence[Batch], claimed: Mapping[str, ReportKind]
) -> dict[str, tuple[str, ...]]:
    """Names of the kinds of each claimed statement: its report, and what shapes its group."""
    alone = {kind.name: (kind.name,) for kind in claimed.values()}
    kinds: dict[str, tuple[str, ...]] = {statement: alone[kind.name] for statement, kind in claimed.items()}
    for batch in batches:
        for number, parts in zip(batch.groups, batch.kinds, strict=True):
            for stage in analysis.groups[number].statements if parts else ():
                for statement in stage:
                    if statement in kinds:
                        kinds[statement] = (claimed[statement].name, *parts)
    return kinds


def _nothing_informs(panel: Panel, analysis: Analysis) -> list[Problem]:
    """Why no statement says anything about a rate."""
    first = panel.funnel.stages[0]
    reasons = [
        Problem(f"says nothing about a rate: {d.reason}", panel.by_id[d.statement].where)
        for d in analysis.decisions
        if panel.by_id[d.statement].stage != first
    ]
    advice = f"give counts of {first} above zero together with counts of a later stage"
    return [Problem("no statement carries information", "data", do=advice), *reasons[:20]]
