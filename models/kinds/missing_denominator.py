"""Denominators are missing: only a total is published, or a count is known only roughly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pydantic import Field

from ...data.panel import Panel
from ...data.statement import Statement
from .. import catalogue, terms
from ..batches import Batch, Parts, PathRates
from ..contract import Analysis, Group, PartKind, Rough, Unknown
from ..layout import spoken
from ..mixture import loose_counts
from ..unsplit import OWN, layer

# A concentration at which a Dirichlet-multinomial is a multinomial, and its gamma functions still have digits.
_ALIKE = 1e9


class MissingDenominator(PartKind):
    """Units of an unsplit total belong to its cells in shares known through a mix published elsewhere."""

    name: ClassVar[str] = "missing_denominator"
    layer: ClassVar = "path"
    order: ClassVar[int] = 12
    soft: ClassVar[bool] = False
    limit: ClassVar[str] = "with all of a total in one offense it is exact"
    example: ClassVar[str] = (
        '# plan.toml: world-wide reports by offense give the mix of every place\n[mix]\nstage = "report"\n'
        'jurisdiction = "world"\n\n[kind.missing_denominator]\nfactor = 2.0\n\n'
        "# referrals of North are published for all offenses together\n# data.csv\n"
        "jurisdiction,period_start,period_end,offense,stage,relation,count,origin\n"
        "world,2024,2024,possession,report,exact,9100,\nworld,2024,2024,enticement,report,exact,400,\n"
        "North,2024,2024,all,referral,exact,500,\nNorth,2024,2024,all,arrest,exact,31,referred_only\n"
        "North,2024,2024,enticement,arrest,exact,4,referred_only\n"
    )

    class Settings(terms.Settings):
        """Settings of the mix.

        ``factor``: an offense's odds among a place's units lie within this factor of the mix either way (95 %).
        ``shared``: part of that variance common to all places, because the mix is of another stage.
        """

        factor: float = Field(2.0, gt=1)
        shared: float = Field(0.5, ge=0, le=1)

    def sentence(self) -> str:
        """What is known, in one sentence."""
        return (
            "The denominator is published for a total alone; it divides among the offenses as a mix published "
            "elsewhere says, within a stated factor."
        )

    def claims(self, statement: Statement, panel: Panel) -> bool:
        """Does it speak of an unsplit total, or of a part of one?"""
        arrangement = panel.arrangement
        if arrangement is None or statement.id in arrangement.unplaced:
            return False
        if statement.id in arrangement.parts:
            return True
        return any(cell in arrangement.pools for cell in panel.cells(statement).tolist())

    def applies(self, group: Group, panel: Panel, analysis: Analysis) -> bool:
        """Is a cell of the group an unsplit total, or its denominator known only roughly?"""
        if group.part >= 0:
            return True
        pools = panel.arrangement.pools if panel.arrangement is not None else {}
        if not pools and not analysis.loose:
            return False
        return any(at[1] in pools or at in analysis.loose for at in _starts(group, panel))

    def unknowns(self, panel: Panel, analysis: Analysis) -> tuple[Unknown, ...]:
        """Departures from the mix, common and by place; where in its range each rough count lies."""
        out: list[Unknown] = []
        if panel.arrangement is not None and panel.arrangement.pools:
            offenses = len(panel.axes.offense)
            out += [
                Unknown("mix_shared", (offenses,)),
                Unknown("mix_place", (len(mixed_places(panel, analysis)), offenses)),
            ]
        if analysis.loose:
            out.append(Unknown("rough_count", (len(analysis.loose),)))
        return tuple(out)

    def bind(self, batch: Batch, groups: Sequence[Group], panel: Panel, analysis: Analysis) -> Batch:
        """Rough counts at the start of paths, with how far their ends lie from the middle; the steps of parts."""
        numbers = {key: row for row, key in enumerate(loose_counts(analysis))}
        counted = not catalogue.kind(
            batch.report
        ).soft  # a published rate does not depend on how many there were
        which = np.full(batch.mask.shape, -1, dtype=np.int64)
        ends = np.zeros((*batch.mask.shape, 2))
        step, splits = batch.step.copy(), np.full(len(groups), -1, dtype=np.int64)
        ratio = [place for place, one in enumerate(panel.funnel.steps) if one.kind == "ratio"]
        for row, group in enumerate(groups):
            if group.part >= 0:
                passed = [place for place in ratio if place < group.stages[0]]
                if batch.ratio:
                    step[row, 0, 0] = passed[-1]  # its one predictor is a log, whatever the last step is
                elif passed and group.start[0] == group.stages[0]:
                    splits[row] = passed[-1]
            for column, at in enumerate(_starts(group, panel)):
                if counted and at in numbers and at[0] < group.stages[0]:
                    which[row, column] = numbers[at]
                    ends[row, column] = np.log(np.array(analysis.loose[at]) / batch.n[row, column])
        return replace(batch, step=step).with_data({"rough": which, "rough_ends": ends, "splits": splits})

    def shift(self, eta: Any, batch: Batch, settings: Any, unknown: Mapping[str, Any], ops: Any) -> Any:
        """The first step carries what is not known of its denominator: uniform in the log over the range."""
        which = batch.data["rough"]
        if (which < 0).all():
            return eta
        low, high = batch.data["rough_ends"][..., 0], batch.data["rough_ends"][..., 1]
        share = ops.phi(unknown["rough_count"][..., np.maximum(which, 0)])
        moved = ops.where(which >= 0, low + (high - low) * share, 0.0)
        first = (np.arange(batch.slots.shape[2]) == 0)[None, None, :]
        return eta + ops.where(first, moved[..., None], 0.0)

    def parts(self, parts: Parts, rates: PathRates, batch: Batch, settings: Any) -> Parts:
        """A known count behind a ratio step divides as its cells do that vary by the step's factor.

        Negative binomials with one variance factor φ are, given their sum, Dirichlet-multinomial with n / (φ - 1)
        in all; as binomial shares they would tell too much.
        """
        splits = batch.data["splits"]
        if rates.phi is None or (splits < 0).all():
            return parts
        excess = pt.where(splits >= 0, rates.phi[np.maximum(splits, 0)] - 1, 0.0)
        return replace(parts, concentration=batch.n[:, 0] / pt.maximum(excess, batch.n[:, 0] / _ALIKE))


def _starts(group: Group, panel: Panel) -> list[Rough]:
    """Where each of a group's first counts is looked for among the rough ones."""
    own = layer(panel.by_id[group.statements[0][0]])
    cells = [group.part] if group.part >= 0 else group.cells.tolist()
    return [
        (stage, cell, own if stage else OWN) for stage, cell in zip(group.start.tolist(), cells, strict=True)
    ]


def mixed_places(panel: Panel, analysis: Analysis) -> tuple[int, ...]:
    """Jurisdiction leaves that have an active unsplit total, ascending."""
    assert panel.arrangement is not None
    active = spoken(analysis)
    pools = [cell for cell in panel.arrangement.pools if active[cell]]
    shape = panel.axes.shape
    return tuple(sorted({int(np.unravel_index(cell, shape)[1]) for cell in pools}))
