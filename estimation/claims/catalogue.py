"""Every kind of claim, found by scanning the folder; and what they say of a run."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

from .. import claims as folder
from ..store.runs import Run
from .contract import Claim, ClaimKind, Told


@cache
def kinds() -> tuple[ClaimKind, ...]:
    """One instance of each kind, in order."""
    found: list[ClaimKind] = []
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        members: list[tuple[str, Any]] = inspect.getmembers(module, inspect.isclass)
        found += [
            thing()
            for _, thing in members
            if thing.__module__ == module.__name__ and thing is not ClaimKind and ClaimKind in thing.__mro__
        ]
    return tuple(sorted(found, key=lambda kind: (kind.order, kind.name)))


def claims_of(told: Told) -> list[Claim]:
    """Every claim, kind by kind; a key stands once."""
    found = [claim for kind in kinds() for claim in kind.claims(told)]
    return list({claim.key: claim for claim in found}.values())


def told_of(run: Run) -> Told:
    """The same view of a stored run, with its own threshold and effect."""
    value = run.draws["quantities"]["value"].transpose("chain", "draw", "quantity_id")
    draws = value.to_numpy().reshape(-1, value.sizes["quantity_id"])
    said = run.blueprint.get("plan", {}).get("claims", {})
    ids = [str(name) for name in value["quantity_id"].to_numpy()]
    return Told(
        run.blueprint, run.estimates, ids, draws, said.get("probability", 0.9), said.get("effect", 0.1)
    )
