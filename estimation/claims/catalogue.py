"""Every kind of claim, found by scanning the folder; and what they say of a run."""

from __future__ import annotations

from functools import cache

from .. import claims as folder
from ..scan import scan
from ..store.runs import Run
from .contract import Claim, ClaimKind, Told


@cache
def kinds() -> tuple[ClaimKind, ...]:
    """One instance of each kind, in order."""
    return scan(folder, ClaimKind)


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
