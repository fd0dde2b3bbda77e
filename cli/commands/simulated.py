"""``attrition init simulated``: a world with known truth."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import emit
from ..options import FolderArgument, JsonOption

Kinds = Annotated[
    str, typer.Option(help="exact, total, bounded, skipped, silent; weights as exact:3,total:1.")
]
Silent = Annotated[float, typer.Option(help="Share of jurisdictions with nothing after the first stage.")]


def simulated(
    folder: FolderArgument,
    offenses: int = 8,
    jurisdictions: int = 56,
    periods: Annotated[int, typer.Option(help="Quarters.")] = 40,
    steps: Annotated[int, typer.Option(help="1 to 4.")] = 2,
    mean_referrals: Annotated[float, typer.Option(help="Mean count of the first stage.")] = 60.0,
    kinds: Kinds = "exact",
    silent: Silent = 0.0,
    seed: int = 1,
    as_json: JsonOption = False,
) -> None:
    """Draw a world whose rates are known, and write what would have been recorded of it."""
    from ...models.worlds import WorldSpec
    from ..simulated import parse_kinds
    from ..simulated import simulated as lay_out
    from ..starts import start_text, write_start

    weights = parse_kinds(kinds)
    spec = WorldSpec(offenses, jurisdictions, periods, steps, mean_referrals, weights, silent, seed)
    written = write_start(lay_out(spec), folder)
    emit(start_text(written), written, as_json)
