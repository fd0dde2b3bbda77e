"""Diagnostics and checks, as stored."""

from __future__ import annotations

import pandas as pd

from ..document import Section
from ..numbers import NONE
from ..printed import left, printed, right, text
from ..view import View

order = 90
title = "Checks and diagnostics"
short = True
MARKS = {"passed": "✓\u00a0passed", "failed": "✗\u00a0failed", "informational": "·\u00a0informational"}


def build(view: View) -> Section:
    """Every check with its number, threshold and sentence; then the sampler's own figures."""
    checks = pd.DataFrame(view.run.checks, columns=["name", "verdict", "value", "threshold", "sentence"])
    table = printed(
        "checks",
        "Checks",
        checks,
        {
            "name": left("Check", text),
            "verdict": left("Verdict", lambda v: MARKS.get(v, str(v))),
            "value": right("Value", _figure),
            "threshold": right("Threshold", _figure),
            "sentence": left("In words", text),
        },
    )
    manifest = view.run.manifest
    facts = [("diagnostic", k, v) for k, v in manifest.get("diagnostics", {}).items()]
    facts += [("seconds", k, v) for k, v in manifest.get("timings", {}).items()]
    frame = pd.DataFrame(facts, columns=["group", "name", "value"])
    sampler = printed(
        "sampler",
        "The sampler",
        frame,
        {
            "group": left("", text),
            "name": left("Name", text),
            "value": right("Value", _figure),
        },
    )
    return Section("section-diagnostics", title, (table, sampler))


def _figure(value: object) -> str:
    if value is None or value != value:
        return NONE
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
