"""The JSON files of a synthetic run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrition.estimation.claims.catalogue import claims_of, told_of
from attrition.estimation.store.runs import Run
from attrition.estimation.store.write import put_json

from .shape import STAGES, STEPS

if TYPE_CHECKING:
    from .world import World


def manifest(world: World) -> dict[str, Any]:
    return {
        "format": 1, "name": "made-up", "identity": f"{world.seed:012x}", "status": world.status,
        "engine": "nuts", "engine_args": {"draws": 1000, "tune": 1000, "chains": 4}, "seed": world.seed,
        "package_version": "0.1.0",
        "source_digest": "0" * 64, "blueprint_digest": "1" * 64, "statements_digest": "2" * 64,
        "checks_digest": "3" * 64, "versions": {"pymc": "6.4"}, "platform": {"system": "Linux"},
        "timings": {"compile": 3.0, "sample": 20.0, "total": 30.0},
        "diagnostics": {"rhat_max": 1.004, "ess_min": 1520.0, "divergences": 0, "ebfmi_min": 0.81},
        "created": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip


def checks(world: World) -> list[dict[str, Any]]:
    verdict = "failed" if world.failed_check else "passed"
    return [
        {"name": "rhat", "verdict": "passed", "value": 1.004, "threshold": 1.01,
         "sentence": "The largest R-hat is 1.004; the limit is 1.01."},
        {"name": "ppc_zeros", "verdict": verdict, "value": 0.001, "threshold": 0.01,
         "sentence": "Zeros by offense: the predictive tail probability is .001; the limit is .01."},
        {"name": "closure", "verdict": "informational", "value": None, "threshold": None,
         "sentence": "Every cell that a statement touches closes."},
    ]  # fmt: skip


def blueprint(world: World, axes: dict[str, Any]) -> dict[str, Any]:
    units = {"referral": "report", "investigation": "case" if world.ratio else "report", "arrest": "person"}
    kind = "ratio" if world.ratio else "probability"
    return {
        "format": 1,
        "name": "made-up",
        "funnel": {
            "stages": list(STAGES),
            "units": units,
            "assume_one_to_one": {"investigation-arrest": "one person a case"},
            "max_per_unit": {},
        },
        "steps": [
            {"name": STEPS[0], "kind": kind, "assumed": ""},
            {"name": STEPS[1], "kind": "probability", "assumed": "one person a case"},
        ],
        "axes": axes,
        "answer": {"jurisdiction": world.place, "period": world.period},
        "effects": [
            {
                "kind": "offense",
                "settings": {},
                "sentence": "Each offense has its own level.",
                "equation": "a_o",
            }
        ],
        "equation": "logit p[s,o,j,t] = μ_s + a_o + b_j + u_t",
        "kinds": [{"kind": "exact", "sentence": "The count is known.", "statements": 100, "soft": False}],
        "prior": {
            "spread": 1.0,
            "intercept": {step: {"median": 0.2, "sd": 1.0} for step in STEPS[:2]},
            "implied": {
                key: {"q025": 0.01, "q50": 0.2, "q975": 0.8}
                for key in (*STEPS[:2], "end_to_end", *(f"root:{s}" for s in STEPS[:2]))
            },
        },
        "patches": {},
        "plan": {"name": "made-up"},
    }


def write_claims(folder: Path) -> None:
    """What the run says of its rates, beside its other files."""
    put_json(folder / "claims.json", [claim.record() for claim in claims_of(told_of(Run(folder)))])
