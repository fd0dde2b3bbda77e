"""The funnel forward: complete counts from rates, and the statements they would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..data.panel import Panel
from ..data.statement import Statement
from . import catalogue
from .blueprint import Blueprint
from .contract import ReportKind
from .field import FieldDraws

Floats = NDArray[np.float64]


def rates_of(eta: Floats, ratio_steps: Sequence[bool]) -> Floats:
    """Rates on their natural scale; eta (…, S, A) in logits, or logs for ratio steps."""
    out = np.empty_like(eta)
    for step, ratio in enumerate(ratio_steps):
        x = eta[..., step, :]
        out[..., step, :] = np.exp(x) if ratio else 0.5 * (1 + np.tanh(x / 2))
    return out


def step_forward(
    rng: np.random.Generator,
    counts: Floats,
    rate: Floats,
    ratio: bool,
    phi: Floats | float,
    concentration: Floats | None = None,
) -> Floats:
    """Counts at the next stage: binomial, beta-binomial, or negative binomial for a ratio step."""
    if ratio:
        mean = counts * rate
        excess = np.broadcast_to(np.asarray(phi, dtype=float) - 1, mean.shape)
        spread_out = rng.gamma(np.maximum(mean / np.maximum(excess, 1e-9), 1e-300), excess)
        return rng.poisson(np.where(excess > 1e-9, spread_out, mean)).astype(float)
    if concentration is not None:
        rate = rng.beta(concentration * rate + 1e-300, concentration * (1 - rate) + 1e-300)
    return rng.binomial(counts.astype(np.int64), np.clip(rate, 0, 1)).astype(float)


def complete_counts(
    rng: np.random.Generator, blueprint: Blueprint, draws: FieldDraws, first: Floats
) -> tuple[Floats, Floats]:
    """Complete counts of every active cell under one draw of the field.

    Parameters
    ----------
    draws : FieldDraws
        With R = 1.
    first : (A,)
        Counts at the first stage; NaN where it is unknown. Such a cell begins with its first known count.

    Returns
    -------
    counts : (S + 1, A)
        NaN before a cell's first known count.
    rates : (S, A)
    """
    eta = draws.eta(blueprint.blocks, blueprint.layout)[0]
    rates = rates_of(eta, blueprint.ratio_steps)
    known = blueprint.analysis.counts[:, blueprint.layout.cells]
    counts = [first]
    for step, ratio in enumerate(blueprint.ratio_steps):
        concentration = draws.concentration[0] if draws.concentration is not None else None
        given = np.nan_to_num(counts[-1])
        drawn = step_forward(rng, given, rates[step], ratio, draws.phi[0, step], concentration)
        counts.append(np.where(np.isnan(counts[-1]), known[step + 1], drawn))
    return np.stack(counts), rates


def replicate(
    rng: np.random.Generator, blueprint: Blueprint, counts: Floats, statements: Sequence[Statement]
) -> tuple[Statement, ...]:
    """The statements the same reporting rules would have made of other complete counts.

    First-stage statements are taken over as they are: the denominators are given. Statements of cells that have no
    counts there are left out.
    """
    panel = blueprint.panel
    out = []
    for statement in statements:
        stage = panel.funnel.index(statement.stage)
        names = blueprint.statement_kinds.get(statement.id)
        if stage == 0 or names is None:
            out.append(statement)
            continue
        kind = catalogue.kind(names[0])
        assert isinstance(kind, ReportKind)
        cells = blueprint.layout.positions[panel.cells(statement)]
        if (cells < 0).any():
            continue
        count = counts[stage, cells].sum()
        if np.isnan(count):
            continue
        out.append(kind.replicate(rng, count, statement, blueprint.kind_settings[kind.name]))
    return tuple(out)


def simulate_panel(rng: np.random.Generator, blueprint: Blueprint) -> tuple[Panel, Floats, Floats]:
    """A panel of the same shape with known truth, drawn from the prior.

    Returns
    -------
    panel : Panel
    counts : (S + 1, A)
    rates : (S, A)
    """
    first = blueprint.analysis.counts[0][blueprint.layout.cells]
    draws = blueprint.prior_draws(rng, 1)
    counts, rates = complete_counts(rng, blueprint, draws, first)
    statements = replicate(rng, blueprint, counts, blueprint.panel.statements)
    return replace(blueprint.panel, statements=statements), counts, rates
