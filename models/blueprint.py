"""The blueprint: a plan bound to a panel, every default explicit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

from ..data.errors import InputError, Problem
from ..data.panel import Panel
from . import catalogue
from .analyse import analyse
from .bind import bind
from .contract import Analysis, Batch, ReportKind
from .field import FieldDraws, draw_block
from .layout import Layout, make_layout
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

    @property
    def ratio_steps(self) -> tuple[bool, ...]:
        """For each step, whether it is a ratio."""
        return tuple(step.kind == "ratio" for step in self.panel.funnel.steps)

    @property
    def shared(self) -> tuple[Block, ...]:
        """Blocks that share the total spread."""
        return tuple(block for block in self.blocks if block.sd is None)

    def prior_draws(self, rng: np.random.Generator, size: int) -> FieldDraws:
        """Independent draws from the prior, by forward simulation in NumPy."""
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
        values = {block.name: draw_block(rng, block, sd[block.name], self.layout) for block in self.blocks}
        excess = self.prior.phi.sample(rng, shape)
        concentration = (
            np.exp(self.concentration.prior.sample(rng, (size,))) if self.concentration is not None else None
        )
        return FieldDraws(
            intercept, sd, values, 1 + excess * np.array(self.ratio_steps), concentration, total
        )


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
    problems = [
        problem
        for kind in catalogue.kinds()
        if isinstance(kind, ReportKind)
        for problem in kind.problems(
            [s for s in panel.statements if s.id in claimed and claimed[s.id].name == kind.name], panel
        )
    ]
    problems += prior.problems(panel.funnel)
    if problems:
        raise InputError(problems)
    ranges = {
        s.id: claimed[s.id].range(s, kind_settings[claimed[s.id].name])
        for s in panel.statements
        if s.id in claimed and not claimed[s.id].soft
    }
    analysis = analyse(panel, ranges)
    if not analysis.groups:
        raise InputError(_nothing_informs(panel, analysis))
    terms = [term for effect, settings in effects for term in effect.terms(settings, panel.axes)]
    concentration = next((term for term in terms if isinstance(term, Concentration)), None)
    layout = make_layout(panel.axes, analysis, len(panel.funnel.steps))
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
        analysis=analysis,
        layout=layout,
        effects=effects,
        blocks=tuple(term for term in terms if isinstance(term, Block) and not term.empty),
        concentration=concentration,
        prior=prior,
        kind_settings=kind_settings,
        batches=batches,
        statement_kinds=_kinds_of(panel, analysis, batches, claimed),
        unclaimed=unclaimed,
    )


def claim(panel: Panel) -> tuple[dict[str, ReportKind], dict[str, str]]:
    """The one report kind of each statement, and the reasons why some have none."""
    reports = [kind for kind in catalogue.kinds() if isinstance(kind, ReportKind)]
    origins = {"referred_only"} | {origin for kind in catalogue.kinds() for origin in kind.origins}
    claimed: dict[str, ReportKind] = {}
    unclaimed: dict[str, str] = {}
    for statement in panel.statements:
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
    kinds: dict[str, tuple[str, ...]] = {statement: (kind.name,) for statement, kind in claimed.items()}
    for batch in batches:
        for number in batch.groups:
            for stage in analysis.groups[number].statements:
                for statement in stage:
                    if statement in kinds:
                        kinds[statement] = (claimed[statement].name, *batch.parts)
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
