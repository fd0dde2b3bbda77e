"""What keeps a scenario from being answered by the draws of the plan's own run, and what of it they can weigh."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...data.names import AXES
from ...models import catalogue
from ...models.batches import Batch
from ...models.blueprint import Blueprint
from ...models.contract import Group
from ...models.lags import Lags
from ...models.priors import BdaConcentration, Fixed
from ..binding import Bound
from ..silent import uninformed

Floats = NDArray[np.float64]
# What a plan says in these keys is looked at where it arrives: in the blueprint and in the statements.
_ARRIVES: Final = ("prior", "effect", "kind", "input", "exclude", "prefer", "intake", "sources")
# What these say is done with the draws: no density knows of it.
_AFTERWARDS: Final = ("assume", "answer", "publish", "claims", "disclosure")


def same_posterior(one: Bound, two: Bound) -> bool:
    """Do two plans differ in nothing but what is done with the draws?

    Parameters
    ----------
    one, two : Bound
        The plan's own and the scenario's.
    """
    said, other = (bound.plan.model_dump(mode="json", exclude=set(_AFTERWARDS)) for bound in (one, two))
    return said == other and one.panel.digest() == two.panel.digest()


def obstacle(one: Bound, two: Bound) -> str:
    """Why draws of the first model cannot answer the second, whatever their weights; empty where they may.

    Parameters
    ----------
    one, two : Bound
        The plan's own and the scenario's.
    """
    if one.plan.estimate != two.plan.estimate:
        return "it asks for other settings of the fit"
    said, other = (bound.plan.model_dump(mode="json", exclude=set(_ARRIVES)) for bound in (one, two))
    for key, value in said.items():
        if value != other[key]:
            return f"[{key}] is another"
    first, second = one.blueprint, two.blueprint
    for words, part in _FORM:
        if part(first) != part(second):
            return words
    if not _same_bases(first, second):
        return "its effects have another form"
    concentration = first.concentration.prior if first.concentration is not None else None
    if isinstance(concentration, BdaConcentration) and second.concentration != first.concentration:
        return "the prior of the concentration ends where the other goes on"
    for name, old in first.kind_settings.items():
        if old != second.kind_settings[name] and _used(first, name) and not _weighable(first, second, name):
            return f"the settings of {name} are more than a prior"
    if one.plan.assume.silent_shift and not np.array_equal(uninformed(first), uninformed(second)):
        return "other cells are silent, whose rates are shifted"
    return _statements(one, two)


def log_kinds(one: Blueprint, two: Blueprint, unknown: dict[str, Floats]) -> Floats | float:
    """Log ratio of the priors of what the kinds do not know, (R,)."""
    total: Floats | float = 0.0
    for kind in catalogue.part_kinds():
        old, new = one.kind_settings[kind.name], two.kind_settings[kind.name]
        if old != new and _used(one, kind.name):
            found = kind.reweigh(unknown, old, new)
            assert found is not None
            total = total + found
    return total


def read_alike(one: Blueprint, two: Blueprint) -> bool:
    """Do two blueprints have the same statements, and read them with the same settings?"""
    return one.kind_settings == two.kind_settings and one.panel.digest() == two.panel.digest()


def apart(one: Blueprint, two: Blueprint) -> tuple[tuple[Batch, ...], tuple[Batch, ...]]:
    """Groups of statements that only one of two blueprints has, or reads with other settings."""
    if read_alike(one, two):
        return (), ()
    keys = [
        {number: _key(blueprint, batch, number) for batch in blueprint.batches for number in batch.groups}
        for blueprint in (one, two)
    ]
    both = set(keys[0].values()) & set(keys[1].values())
    return (_only(one, keys[0], both), _only(two, keys[1], both))


def _only(blueprint: Blueprint, keys: dict[int, Hashable], both: set[Hashable]) -> tuple[Batch, ...]:
    found = []
    for batch in blueprint.batches:
        rows = np.array(
            [row for row, number in enumerate(batch.groups) if keys[number] not in both], dtype=int
        )
        if len(rows):
            found.append(batch.take(rows))
    return tuple(found)


def _key(blueprint: Blueprint, batch: Batch, number: int) -> Hashable:
    """Everything that a group's density depends on, but for the parameters."""
    row = batch.groups.index(number)
    kinds = batch.kinds[row] if batch.kinds else ()
    settings = str(blueprint.kind_settings[batch.report])
    return (batch.report, settings, kinds, _plain(blueprint.analysis.groups[number]))


def _plain(value: Any) -> Hashable:
    if isinstance(value, Group | Lags):
        names = [field.name for field in fields(value) if field.name != "statements"]
        return tuple(_plain(getattr(value, name)) for name in names)
    if isinstance(value, np.ndarray):
        return (value.shape, value.tobytes())
    return tuple(map(_plain, value)) if isinstance(value, tuple | list) else value


_FORM: Final[tuple[tuple[str, Callable[[Blueprint], Any]], ...]] = (
    ("its axes have other members", lambda b: [b.panel.axes[axis].leaves for axis in AXES]),
    ("its model has other cells", lambda b: (b.layout.cells.tolist(), b.layout.unit.tolist())),
    ("its steps are others", lambda b: b.ratio_steps),
    (
        "its effects have another form",
        lambda b: [(block.name, block.axes, block.cellwise, block.sd is None) for block in b.blocks],
    ),
    (
        "a scale that it gives is another",
        lambda b: [block.sd for block in b.blocks if isinstance(block.sd, Fixed)],
    ),
    (
        "what its effects read off the data is something else",
        lambda b: [(s.steps, s.by.tobytes()) for s in (block.slope for block in b.blocks) if s is not None],
    ),
    ("its effects have another form", lambda b: b.concentration is None),
    ("what its kinds do not know is something else", lambda b: [(u.name, u.shape) for u in b.unknowns]),
    (
        "what its kinds add to the rates is something else",
        lambda b: [(one.name, one.scale.tobytes()) for one in b.additions],
    ),
)


def _same_bases(one: Blueprint, two: Blueprint) -> bool:
    pairs = [
        pair
        for a, b in zip(one.blocks, two.blocks, strict=True)
        for pair in zip(a.bases, b.bases, strict=True)
    ]
    return all(np.array_equal(a.matrix, b.matrix) and np.array_equal(a.fresh, b.fresh) for a, b in pairs)


def _used(blueprint: Blueprint, kind: str) -> bool:
    return any(kind in names for names in blueprint.statement_kinds.values())


def _weighable(one: Blueprint, two: Blueprint, name: str) -> bool:
    """Does the likelihood, or a ratio of priors, say all that the settings of a kind change?"""
    kind = catalogue.kind(name)
    if kind.layer == "report":
        return True
    unknown = {each.name: np.zeros((1, *each.shape)) for each in one.unknowns}
    found = next(k for k in catalogue.part_kinds() if k.name == name)
    return found.reweigh(unknown, one.kind_settings[name], two.kind_settings[name]) is not None


def _statements(one: Bound, two: Bound) -> str:
    """Why the statements of the second cannot be weighed against those of the first; empty where they can."""
    if one.panel.digest() == two.panel.digest():
        return ""
    first, second = one.blueprint, two.blueprint
    if first.mixture is not None or second.mixture is not None:
        return "other statements may divide the unsplit totals otherwise"
    before, after = (bound.analysis.counts[:-1] for bound in (first, second))
    if not np.array_equal(before, after, equal_nan=True):
        return "it has other denominators"
    cells = [
        blueprint.analysis.groups[number].cells
        for blueprint, batches in zip((first, second), apart(first, second), strict=True)
        for batch in batches
        for number in batch.groups
    ]
    if cells and np.isnan(before[:, np.concatenate(cells)]).any():
        return "denominators that nobody counted depend on what it changes"
    return ""
