"""A synthetic run whose plan holds counts back, as ``estimate`` would have left it."""

from __future__ import annotations

import json
from pathlib import Path

from attrition.data.names import AXES
from attrition.estimation.disclosure.protection import Protection, protect
from attrition.estimation.disclosure.rows import released
from attrition.estimation.disclosure.spec import DisclosureSpec
from attrition.estimation.store.layout import BLUEPRINT, DISCLOSURE, RELEASED
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import put_json, put_table

from .shape import STAGES


def hold_back(folder: Path, spec: DisclosureSpec) -> Protection:
    """Write into a finished run what its plan's ``[disclosure]`` asks for."""
    run = Run(folder)
    blueprint = json.loads((folder / BLUEPRINT).read_text(encoding="utf-8"))
    blueprint["plan"]["disclosure"] = spec.model_dump()
    put_json(folder / BLUEPRINT, blueprint)
    seen = run.draws["observed_data"].to_dataset()
    names = ("statement_id", *AXES)
    reports = zip(*(seen[name].values.astype(str).tolist() for name in names), strict=True)
    protection = protect(blueprint, run.intake, spec)
    put_json(folder / DISCLOSURE, protection.record(run.intake["statements"], reports))
    put_table(folder / RELEASED, released(run.estimates, protection, STAGES))
    return protection
