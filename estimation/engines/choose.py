"""Which engine fits a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...data.errors import InputError, Problem
from ...models.blueprint import Blueprint
from ..extras import numpyro_sampler
from ..sections import EstimateSpec
from . import nuts
from .contract import KHAT, Fit, Report
from .laplace import fit as laplace
from .laplace.worlds import obstacles

NUMPYRO = "numpyro"


def fit_blueprint(
    blueprint: Blueprint, settings: EstimateSpec, say: Callable[[str], None], report: Report | None = None
) -> Fit:
    """Fit with the engine the plan names; ``auto`` takes laplace where its gates pass, and nuts where not.

    Raises
    ------
    InputError
        The plan names ``laplace``, which cannot take the blueprint, or ``numpyro``, which is not installed.
    """
    return replace(_fitted(blueprint, settings, say, report), aim=nuts.aim(settings))


def _fitted(
    blueprint: Blueprint, settings: EstimateSpec, say: Callable[[str], None], report: Report | None
) -> Fit:
    if settings.engine == nuts.NAME:
        return nuts.fit_well(blueprint, settings, say, report)
    if settings.engine == NUMPYRO:
        return nuts.fit_well(blueprint, settings, say, report, numpyro_sampler())
    reasons = obstacles(blueprint)
    if reasons and settings.engine == laplace.NAME:
        raise InputError(
            [
                Problem(
                    "laplace does not take this plan",
                    "plan, [estimate] engine",
                    reason,
                    "exact counts of single cells on probability steps",
                    'use engine = "nuts" or "auto"',
                )
                for reason in reasons
            ]
        )
    if not reasons:
        done = laplace.fit(blueprint, settings, say)
        assert done.weights is not None
        if settings.engine == laplace.NAME:
            return done
        worst = done.weights.worst
        if worst < KHAT:
            return replace(done, reason=f"auto: every count is exact, and the weights' k-hat is {worst:.2f}")
        reasons = [f"the k-hat of laplace's weights is {worst:.2f}"]
    why = "auto: " + "; ".join(reasons)
    say(f"Engine nuts, {why}")
    return replace(nuts.fit_well(blueprint, settings, say, report), reason=why)
