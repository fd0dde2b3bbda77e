"""A scenario answered by the draws of the plan's own run, weighed anew (PSIS; Vehtari et al. 2024)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...models import catalogue
from ...models.batches import Batch
from ...models.blueprint import Blueprint
from ...models.field import FieldDraws
from ...models.prior_density import log_prior, summed
from .. import predictive
from ..binding import Bound, stream
from ..claims.catalogue import claims_of
from ..claims.contract import Told
from ..kept import field_of
from ..labels import NOT
from ..store.runs import Run
from .drawn import Drawn, Resampled, drawn_of
from .likeness import apart, log_kinds, obstacle
from .relabel import Relabeling
from .weights import Weights, weigh

Floats = NDArray[np.float64]
ENGINE: Final = "reweighted"


@dataclass(frozen=True)
class Reweighted:
    """What a scenario says by weights; where a run of its own is looked at, this may stand.

    Parameters
    ----------
    base : Run
        Whose draws were weighed.
    identity : str
        Of the run that a refit would give.
    estimates : DataFrame
        Superpopulation rows: medians and labels of the scenario, all else as in the base.
    claims : list of dict
        As in ``claims.json``.
    khat, ess : float
        Of the weights.
    seconds : float
    """

    base: Run
    identity: str
    estimates: pd.DataFrame
    claims: list[dict[str, Any]]
    khat: float
    ess: float
    seconds: float

    @property
    def blueprint(self) -> dict[str, Any]:
        """That of the base: axes and steps are the same."""
        return self.base.blueprint

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.base.name

    @property
    def status(self) -> str:
        """That of the base: weights mend no sampler."""
        return self.base.status

    @property
    def unfit(self) -> bool:
        """The base did not reach its diagnostics."""
        return self.base.unfit

    @property
    def manifest(self) -> dict[str, Any]:
        """The part of a manifest that a comparison reads."""
        return {
            "engine": ENGINE,
            "diagnostics": {"ess_min": self.ess},
            "timings": {"total": round(self.seconds, 2)},
        }


class Weighing:
    """Answers scenarios by the draws of the plan's own run; what all of them need is read when one does, once.

    Parameters
    ----------
    run : Run
        The plan's own.
    one : Bound
        The plan.

    Notes
    -----
    The weight of a draw is its posterior density under the scenario over that under the plan: priors, each on the
    natural scale of its parameter, and the likelihood of the groups of statements that differ. Effects given their
    scales have the same law in both.
    """

    def __init__(self, run: Run, one: Bound) -> None:
        self._run, self._one = run, one

    @cached_property
    def _field(self) -> FieldDraws:
        return field_of(self._run, self._one.blueprint)

    @cached_property
    def _drawn(self) -> Drawn:
        return drawn_of(self._run)

    @cached_property
    def _relabeling(self) -> Relabeling:
        return Relabeling(self._run, self._one, self._drawn)

    def answer(self, two: Bound, identity: str) -> Reweighted | str:
        """Answer a scenario, or say why it has to be fitted.

        Parameters
        ----------
        two : Bound
            The scenario.
        identity : str
            Of the run that a refit of it would give.
        """
        clock = time.perf_counter()
        one, run = self._one, self._run
        reason = obstacle(one, two) or unkept(one.blueprint, self._field)
        if reason:
            return reason
        ratio = _log_ratio(one.blueprint, two.blueprint, self._field)
        if isinstance(ratio, str):
            return ratio
        least = run.manifest.get("diagnostics", {}).get("ess_min")
        weights = weigh(ratio, float(least) if least else len(ratio))
        if weights.fault:
            return weights.fault
        found = self._weighed(two, weights)
        return Reweighted(run, identity, *found, weights.khat, weights.ess, time.perf_counter() - clock)

    def _weighed(self, two: Bound, weights: Weights) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
        """The rows of the base with the scenario's medians and labels, and its claims."""
        seed, drawn = self._one.plan.estimate.seed, self._drawn
        draws = Resampled(drawn, weights, stream(seed, "reweighting"), stream(seed, "reweighting cells"))
        labels, medians = self._relabeling.labeled(two, self._field, draws, seed)
        medians[labels == NOT] = np.nan
        rows = drawn.table.assign(label=labels, median=medians)
        claims = two.plan.claims
        joint = rows[drawn.at >= 0]
        told = Told(two.description, joint, drawn.ids, draws.rows.T, claims.probability, claims.effect)
        return rows, [claim.record() for claim in claims_of(told)]


def unkept(blueprint: Blueprint, field: FieldDraws) -> str:
    """Why rates cannot be made of what a run keeps; empty where they can.

    Shares of an unsplit total, and what else the kinds add to a rate, are made of their unknowns.
    """
    lacking = [one.name for one in blueprint.unknowns if one.name not in field.unknown]
    return f"the run is too large to keep all draws of {', '.join(lacking)}" if lacking else ""


def _log_ratio(one: Blueprint, two: Blueprint, field: FieldDraws) -> Floats | str:
    """Log density of each draw under the second model over that under the first."""
    before, after = apart(one, two)
    if (before or after) and not all(block.name in field.values for block in one.blocks):
        return "the run keeps the effects of single cells of too few draws"
    total = summed(log_prior(two, field)) - summed(log_prior(one, field))
    total = total + log_kinds(one, two, dict(field.unknown))
    # Priors of what is not known were weighed on their natural scale: the draws keep the coordinates of the first.
    parts = {kind.name: one.kind_settings[kind.name] for kind in catalogue.part_kinds()}
    second = replace(two, kind_settings={**two.kind_settings, **parts})
    return total + _log_likelihood(second, after, field) - _log_likelihood(one, before, field)


def _log_likelihood(blueprint: Blueprint, batches: tuple[Batch, ...], field: FieldDraws) -> Floats | float:
    if not batches:
        return 0.0
    cut = replace(blueprint, batches=batches)
    return predictive.log_likelihood(cut, blueprint.predictor(field), field).sum(axis=1)
